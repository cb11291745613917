// SPDX-License-Identifier: GPL-3.0-or-later
// All parts of one message on their way into the spool: fed together, done together.
//
// The body streams once through all of them; one that is full holds the others back. Loop thread.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "smtp/outlet.h"

namespace sealgate {

class Outlets final : private Outlet::Owner {
public:
    class Owner {
    public:
        // Neither is called from inside the outlets' own calls.
        virtual void on_outlets_drain() = 0;
        // All are done, or one of them failed: see failure().
        virtual void on_outlets_done() = 0;

    protected:
        ~Owner() = default;
    };

    Outlets(HouseParts& parts, Owner& owner) : parts_(parts), owner_(owner) {}

    // `received`: this hop's field, or empty for a message that has it already.
    Result<void> add(PartToMake part, const Header& header, std::string_view received);
    Result<Flow> write(Chunk chunk);
    Result<void> finish();
    // All outlets' parts go to the queue; on_outlets_done() was called and failure() is null.
    void release();
    void clear() { outlets_.clear(); }  // nothing of any part remains

    Flow flow() const;
    // The first outlet that ended in failure; null: none did.
    const Outlet* failure() const;
    bool empty() const { return outlets_.empty(); }
    const std::vector<std::unique_ptr<Outlet>>& list() const { return outlets_; }

private:
    void on_outlet_drain() override;
    void on_outlet_done() override;

    HouseParts& parts_;
    Owner& owner_;
    std::vector<std::unique_ptr<Outlet>> outlets_;
    bool finished_ = false;
};

}  // namespace sealgate
