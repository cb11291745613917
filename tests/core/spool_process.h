// SPDX-License-Identifier: GPL-3.0-or-later
// A spool as the child of a death test has it: what goes wrong ends the process, and says where.
#pragma once

#include <rocksdb/db.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include "core/loop.h"
#include "core/spool.h"
#include "tests/support/shared_folder.h"

#define REQUIRE(condition)                                                              \
    do {                                                                                \
        if (!(condition)) {                                                             \
            std::fprintf(stderr, "line %d: does not hold: %s\n", __LINE__, #condition); \
            std::_Exit(1);                                                              \
        }                                                                               \
    } while (false)

namespace sealgate::test {

inline std::string message_body(MessageId mid) {
    // Small ones, and a third of several pieces.
    std::string body(mid % 3 == 0 ? 150'000 : 3000 + mid % 5000, ' ');
    for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + (i + mid) % 26);
    return body;
}

class SpoolProcess {
public:
    explicit SpoolProcess(const std::string& directory) {
        std::string why;
        auto opened = Spool::open(loop_, directory, &why);
        if (!opened) std::fprintf(stderr, "%s\n", why.c_str());
        REQUIRE(opened);
        spool_ = *std::move(opened);
        REQUIRE(spool_->recover(
            [this](Spool::Recovered message) { recovered_[message.mid] = std::move(message); }));
    }
    Spool& spool() { return *spool_; }
    Loop& loop() { return loop_; }
    const std::map<MessageId, Spool::Recovered>& recovered() const { return recovered_; }

    Result<StoredMessage> store(const std::string& body) {
        ChunkList chunks;
        chunks.append(Chunk::copy_of(body));
        Result<StoredMessage> stored = temporary("no answer came");
        bool done = false;
        spool_->store(spool_->next_mid(), std::move(chunks), "envelope", [&](auto result) {
            stored = std::move(result);
            done = true;
        });
        REQUIRE(loop_.run_until([&] { return done; }, 30'000));
        return stored;
    }
    std::string read(MessageId mid) {
        const auto reader = spool_->read(mid);
        std::string body;
        for (bool end = false; !end;) {
            bool done = false;
            reader->next([&](Result<ChunkList> part) {
                done = true;
                end = !part || part->empty();
                if (part) body += part->to_string();
            });
            REQUIRE(loop_.run_until([&] { return done; }, 30'000));
        }
        return body;
    }
    // Lets the spool thread write what it has; the loop hears of it.
    void rest() {
        loop_.run_until([] { return false; }, 20);
    }
    bool wait_for_health(bool wanted) {
        return loop_.run_until([&] { return spool_->healthy() == wanted; }, 30'000);
    }

private:
    Loop loop_;
    std::unique_ptr<Spool> spool_;
    std::map<MessageId, Spool::Recovered> recovered_;
};

// What the store holds of bodies, whatever the envelopes say.
inline std::size_t stored_body_bytes(const std::string& data) {
    rocksdb::DB* opened = nullptr;
    REQUIRE(rocksdb::DB::Open({}, data + "/spool", &opened).ok());
    const std::unique_ptr<rocksdb::DB> database(opened);
    const std::unique_ptr<rocksdb::Iterator> at(database->NewIterator({}));
    std::size_t bytes = 0;
    for (at->Seek("B"); at->Valid() && at->key()[0] == 'B'; at->Next()) bytes += at->value().size();
    return bytes;
}

// Two bodies of one message, each with its number in front; most are large.
class Pair {
public:
    explicit Pair(SpoolProcess& process) : process_(process), mid_(process.spool().next_mid()) {
        writers_[0] = process.spool().begin(mid_);
        writers_[1] = process.spool().begin_variant(mid_);
    }
    MessageId mid() const { return mid_; }
    static std::string body(MessageId mid, std::size_t number) {
        return std::to_string(number) + message_body(mid % 4 == 0 ? 3 * mid + 1 : 3 * mid);
    }
    void write() {
        for (std::size_t number : {0u, 1u})
            REQUIRE(writers_[number]->write(Chunk::copy_of(body(mid_, number))));
    }
    bool finish() { return writers_[0]->finish() && writers_[1]->finish(); }
    void commit(std::size_t number, SpoolWriter::Committed committed) {
        writers_[number]->commit(std::to_string(number), std::move(committed));
    }
    bool commit_and_wait(std::size_t number) {
        bool done = false;
        bool stored = false;
        commit(number, [&](Result<StoredMessage> answer) {
            stored = answer.has_value();
            done = true;
        });
        REQUIRE(process_.loop().run_until([&] { return done; }, 30'000));
        return stored;
    }
    void drop(std::size_t number) { writers_[number].reset(); }

private:
    SpoolProcess& process_;
    MessageId mid_;
    std::array<std::unique_ptr<SpoolWriter>, 2> writers_;
};

}  // namespace sealgate::test
