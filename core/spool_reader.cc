// SPDX-License-Identifier: GPL-3.0-or-later
// Reading bodies back: one thread, one piece at a time, so that the loop never waits for the disk.
#include <utility>

#include "core/spool_internal.h"

namespace sealgate {
namespace {

Result<ChunkList> read_piece(const SpoolStore& store, const SpoolReader::State& reader) {
    const SpoolExtent& extent = reader.extent;
    ChunkList piece;
    piece.append(TRY(store.piece(reader.mid, extent.first_index + reader.pieces_read)));
    const bool last = reader.pieces_read + 1 == extent.piece_count;
    const std::uint64_t bytes_after = extent.body_bytes - reader.bytes_read;
    if (last ? piece.bytes() != bytes_after : piece.bytes() >= bytes_after)
        return internal("a piece in the spool has the wrong size");
    return piece;
}

void deliver(SpoolReader::State& reader, Result<ChunkList> piece) {
    if (reader.dropped || reader.spool->closed) return;
    if (piece) {
        ++reader.pieces_read;
        reader.bytes_read += piece->bytes();
    }
    const SpoolReader::Piece on_piece = std::exchange(reader.on_piece, nullptr);
    on_piece(std::move(piece));
}

}  // namespace

void Spool::State::serve_reads() {
    while (!stopping.load(std::memory_order_acquire)) {
        read_wake.wait();
        for (auto& reader : read_inbox.take_all()) {
            if (stopping.load(std::memory_order_acquire)) break;
            auto piece = std::make_shared<Result<ChunkList>>(read_piece(*store, *reader));
            loop.post([reader = std::move(reader), piece] { deliver(*reader, std::move(*piece)); });
        }
    }
}

void Spool::State::ask(std::shared_ptr<SpoolReader::State> reader) {
    if (closed) return;
    if (read_inbox.push(std::move(reader))) read_wake.raise();
}

SpoolReader::SpoolReader(std::shared_ptr<State> state) : state_(std::move(state)) {}

SpoolReader::~SpoolReader() {
    state_->dropped = true;
    state_->on_piece = nullptr;
}

void SpoolReader::next(Piece piece) {
    State& state = *state_;
    CHECK(!state.on_piece);
    state.on_piece = std::move(piece);
    if (state.known && state.pieces_read < state.extent.piece_count) {
        state.spool->ask(state_);
        return;
    }
    state.spool->loop.post([reader = state_] {
        if (reader->known) return deliver(*reader, ChunkList());
        deliver(*reader, temporary("the message is not in the spool"));
    });
}

}  // namespace sealgate
