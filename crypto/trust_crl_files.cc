// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/trust_crl_files.h"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "core/limits.h"
#include "crypto/pem.h"

namespace sealgate {
namespace {

constexpr std::string_view list_label = "X509 CRL";

Answer<ListFile> read_pem_lists(ByteSpan file) {
    const auto blocks = read_pem(file);
    if (!blocks) return refused(blocks.error().what);
    ListFile found;
    for (const PemBlock& block : *blocks) {
        if (block.is_certificate()) {
            auto issuer = Certificate::parse(block.der.bytes());
            if (!issuer) return refused(issuer.error().what);
            found.issuers.push_back(*std::move(issuer));
        } else if (block.label == list_label) {
            auto list = RevocationList::parse(block.der.bytes());
            if (!list) return refused(list.error().what);
            found.lists.push_back(*std::move(list));
        }
    }
    return found;
}

// The length of the first element, header included; 0 when it is none or not all there.
std::size_t element_bytes(ByteSpan der) {
    constexpr std::uint8_t sequence = 0x30;
    if (der.size() < 2 || der[0] != sequence) return 0;
    std::size_t header = 2, length = der[1];
    if (length >= 0x80) {
        const std::size_t octets = length & 0x7f;
        if (octets == 0 || octets > 4 || der.size() < header + octets) return 0;
        length = 0;
        for (std::size_t i = 0; i < octets; ++i) length = length << 8 | der[header + i];
        header += octets;
    }
    return length > der.size() - header ? 0 : header + length;
}

Answer<ListFile> read_der_lists(ByteSpan file) {
    ListFile found;
    while (!file.empty()) {
        const std::size_t bytes = element_bytes(file);
        if (bytes == 0) return refused("not a revocation list, in PEM or DER");
        auto list = RevocationList::parse(file.first(bytes));
        if (!list) return refused(list.error().what);
        found.lists.push_back(*std::move(list));
        file = file.subspan(bytes);
    }
    return found;
}

Answer<Bytes> read_file(const std::string& path) {
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(path, error);
    if (error) return refused(path + ": " + error.message());
    if (size > limits::crl_bytes_max) return refused(path + ": larger than 32 MB");
    Bytes bytes(size);
    std::ifstream file(path, std::ios::binary);
    file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
    if (!file) return refused(path + ": cannot be read");
    return bytes;
}
static_assert(limits::crl_bytes_max == 32 << 20, "read_file() says so");

}  // namespace

Answer<ListFile> read_list_file(ByteSpan file) {
    const bool is_pem = as_text(file).find("-----BEGIN ") != std::string_view::npos;
    auto found = is_pem ? read_pem_lists(file) : read_der_lists(file);
    if (found && found->lists.empty()) return refused("holds no revocation list");
    return found;
}

std::shared_ptr<const CrlFiles> CrlFiles::load(const TrustOptions& options,
                                               const std::string& section, Complaints& complaints,
                                               Complaints& warnings) {
    const ConfigPlace& place = options.crl_files_place;
    const auto add = [&](Complaints& list, const std::string& what) {
        list.push_back({place.file, place.line, 0, section + " crl-files: " + what});
    };
    ListFile all;
    for (const std::string& path : options.crl_files) {
        const auto bytes = read_file(path);
        if (!bytes) {
            add(complaints, bytes.error().what);
            continue;
        }
        auto found = read_list_file(*bytes);
        if (!found) {
            add(complaints, path + ": " + found.error().what);
            continue;
        }
        const auto old = std::count_if(
            found->lists.begin(), found->lists.end(),
            [now = std::time(nullptr)](const auto& list) { return !list->is_fresh(now); });
        if (old > 0) {
            add(warnings, path + ": " + std::to_string(old) + " of " +
                              std::to_string(found->lists.size()) +
                              " lists are out of date and count for nothing");
        }
        std::move(found->lists.begin(), found->lists.end(), std::back_inserter(all.lists));
        std::move(found->issuers.begin(), found->issuers.end(), std::back_inserter(all.issuers));
    }
    if (!options.crl_files.empty() && options.revocation == TrustOptions::Revocation::off)
        add(warnings, "nobody looks at them: revocation = off");
    return std::shared_ptr<const CrlFiles>(new CrlFiles(std::move(all)));
}

}  // namespace sealgate
