// SPDX-License-Identifier: GPL-3.0-or-later
// Public keys of correspondents: the manual ones and the repository of harvested ones.
//
// Both are in memory, with a store under <data-dir>/keys behind them. Manual keys have a name, are
// added and removed by an operator, and are never evicted. Harvested ones (put in by the verifying
// side) live within `capacity` bytes as the process really holds them, least recently used out
// first. find() is O(1) and takes at most a microsecond besides parsing the certificate found;
// eviction takes a bounded step per call, so the loop never stalls. Loop thread; writing to disk
// happens on a thread of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "crypto/recipient_key.h"

namespace sealgate {

class Loop;

class KeyRing {
public:
    struct Options {
        std::string directory;  // <data-dir>/keys; made when absent
        std::uint64_t capacity_bytes = std::uint64_t{512} << 20;
        bool persist = true;  // of harvested keys; manual ones are always kept
        // No: harvested keys stay on the disk, untouched (commands about manual ones).
        bool with_harvested = true;
        // How long to wait for another process that has the store open.
        std::uint64_t patience_ms = 0;
    };

    // Opens the store and loads it; blocks (start-up only). `why` says more for people;
    // ErrorKind::untrusted: another process has it open. Without a loop (tests, tools) changes are
    // made at once, blocking.
    static Result<std::unique_ptr<KeyRing>> open(Loop* loop, Options options, std::string* why);
    ~KeyRing();  // what was handed over is written; answers on their way are dropped

    // spec/smime.md "Whose key": manual exact address, harvested exact address, manual domain,
    // manual wildcard domain, harvested domain; of several the latest notBefore. Only keys that are
    // valid now, may encrypt and cover the address. `address`: local@domain as in the envelope.
    // A harvested key found counts as used.
    std::optional<RecipientKey> find(std::string_view address, std::int64_t wall_seconds);

    // Every certificate filed under the address, its domain or the domain's wildcard, whatever it
    // may be used for and whenever it is valid: at most known_certificates_max, manual ones first.
    // Looking is not using.
    static constexpr std::size_t known_certificates_max = 32;
    std::vector<CertificatePtr> certificates_of(std::string_view address);

    // --- manual keys: in effect at once; `done` (may be empty) when durable ----------------------

    using Done = std::function<void(Result<void>)>;
    enum class Added : std::uint8_t { added, replaced };
    struct Manual {
        std::string name;
        CertificatePtr certificate;
        SmimeCapabilities capabilities;
    };
    // The caller has checked the certificate (usable_for_encryption); an equal name is replaced.
    // When it cannot be written it is taken back.
    Added add(Manual key, Done done);
    bool remove(const std::string& name, Done done);
    std::optional<Manual> manual(const std::string& name) const;
    std::size_t manual_count() const;
    // Whether this very certificate, byte for byte, is one of them.
    bool is_manual(const Certificate& certificate) const;

    // A page, in name order, of those behind the name `after`. `search`: in name, address, domain,
    // subject or serial number, without case; empty: all. One call takes about a millisecond, so a
    // page may have fewer rows than rows_max, or none, and still not be the last.
    struct ManualPage {
        std::vector<Manual> rows;
        std::optional<std::string> next;  // `after` of the next page; nothing: this was the last
    };
    ManualPage list_manual(std::string_view search, std::string_view after,
                           std::size_t rows_max) const;

    // --- harvested keys --------------------------------------------------------------------------

    struct Harvested {
        std::string owner;  // an address, or "@domain" for a certificate with DNS names
        CertificatePtr certificate;
        SmimeCapabilities capabilities;
        std::int64_t signing_time = 0;  // seconds since 1970, of the message it came with
        std::int64_t last_used = 0;     // wall seconds
        bool verified = false;          // that message was verified
    };
    // Puts a key in under its owner; on the disk a little later. What that owner had is replaced
    // when `key.signing_time` is newer. A verified key is replaced by verified ones only, and an
    // unverified one by a verified one whatever the time.
    enum class Replace : std::uint8_t { never, newer };
    enum class Harvest : std::uint8_t {
        added,
        replaced,
        refreshed,  // it is the very certificate that was there: times and capabilities are newer
        older,      // what is there stays: its message is as new; the very certificate was used
        kept,       // what is there stays: not to be replaced, or only by a verified one
        too_large,
    };
    Harvest harvest(Harvested key, Replace replace = Replace::newer);
    std::optional<Harvested> harvested(std::string_view owner);  // looking is not using
    bool remove_harvested(std::string_view owner, Done done = {});

    // As list_manual(), in no order. `search`: in owner, subject or serial number. Keys that come
    // or go between two pages may be missed or told twice.
    struct HarvestedPage {
        std::vector<Harvested> rows;
        std::optional<std::uint32_t> next;
    };
    HarvestedPage list_harvested(std::string_view search, std::uint32_t from,
                                 std::size_t rows_max) const;

    struct Statistics {
        std::size_t manual = 0;
        std::size_t harvested = 0;
        std::uint64_t harvested_bytes = 0;  // as the process holds them
        std::uint64_t capacity_bytes = 0;
        std::uint64_t evictions = 0;
        bool full = false;           // eviction has begun
        std::uint64_t unstored = 0;  // of `harvested`: not on the disk yet, which is behind
        std::uint64_t owed = 0;      // evicted, and not removed from that disk yet
    };
    Statistics statistics() const;
    void set_capacity(std::uint64_t bytes);  // a reload; a smaller one evicts step by step
    // Called once for each call that evicts, from inside it: it may write notes, and no more.
    void on_eviction(std::function<void()> task);

    // Small notes of who harvests (smtp/harvest.h), kept beside the keys where these are
    // persistent; on the disk a little later. An empty value removes it.
    void write_note(const std::string& name, std::string value);
    // Blocks; at start only.
    using EachNote = std::function<void(std::string_view name, std::string_view value)>;
    Result<void> each_note(const EachNote& each) const;

    struct State;

private:
    explicit KeyRing(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// The reason why mail must not be encrypted to this certificate at all (where a key is added):
// use, key size, expiry; ok otherwise. A certificate that names no address and no domain covers
// nobody: no_certificate.
Reason usable_for_encryption(const Certificate& certificate, std::int64_t wall_seconds);

}  // namespace sealgate
