// SPDX-License-Identifier: GPL-3.0-or-later
// Objects of C libraries with an owner: std::unique_ptr<BIO, FreedBy<BIO_free_all>>. Values only.
#pragma once

namespace sealgate {

template <auto Free>
struct FreedBy {
    template <typename T>
    void operator()(T* object) const {
        Free(object);
    }
};

}  // namespace sealgate
