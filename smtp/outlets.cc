// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/outlets.h"

#include <algorithm>

namespace sealgate {

Result<void> Outlets::add(PartToMake part, const Header& header, std::string_view received) {
    Outlet::Owner& owner = *this;
    outlets_.push_back(std::make_unique<Outlet>(parts_, owner, std::move(part)));
    TRY(outlets_.back()->begin(header, received));
    return {};
}

Result<Flow> Outlets::write(Chunk chunk) {
    for (auto& outlet : outlets_) TRY(outlet->write(chunk));
    return flow();
}

Result<void> Outlets::finish() {
    finished_ = true;
    for (auto& outlet : outlets_) TRY(outlet->finish());
    return {};
}

void Outlets::release() {
    for (auto& outlet : outlets_) outlet->release();
}

Flow Outlets::flow() const {
    const bool full = std::any_of(outlets_.begin(), outlets_.end(),
                                  [](const auto& outlet) { return outlet->full(); });
    return full ? Flow::full : Flow::open;
}

const Outlet* Outlets::failure() const {
    for (const auto& outlet : outlets_)
        if (outlet->done() && !outlet->outcome()) return outlet.get();
    return nullptr;
}

void Outlets::on_outlet_drain() {
    if (flow() == Flow::open) owner_.on_outlets_drain();
}

void Outlets::on_outlet_done() {
    const bool all = std::all_of(outlets_.begin(), outlets_.end(),
                                 [](const auto& outlet) { return outlet->done(); });
    if (failure() || (finished_ && all)) owner_.on_outlets_done();
}

}  // namespace sealgate
