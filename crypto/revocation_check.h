// SPDX-License-Identifier: GPL-3.0-or-later
// One path, from the question whether it was revoked to the answer: crypto/revocation.h says in
// which order who is asked.
//
// All certificates of the path at the same time, the sources of one of them one after the other.
// One that was revoked ends it; so does limits::revocation_wait_ms. It may be destroyed at any
// time. Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/timer.h"
#include "crypto/revocation_sources.h"
#include "crypto/trust_addresses.h"
#include "crypto/trust_crl_files.h"

namespace sealgate {

class RevocationCheck {
public:
    // What it stands on, which outlives it.
    struct House {
        Loop& loop;
        WorkerPool& workers;
        RevocationSources& sources;
        std::shared_ptr<const CrlFiles> files;
        bool may_ask_responders = false;
        bool may_fetch_lists = false;
    };
    // Good, when every certificate is. May destroy the check.
    using Done = std::function<void(RevocationAnswer answer)>;

    // `path`: at least a certificate and its anchor.
    RevocationCheck(House house, std::vector<CertificatePtr> path, std::vector<Bytes> embedded,
                    std::int64_t wall_seconds, Done done);
    void begin();  // never answers from inside

private:
    struct Source {
        bool is_responder = false;
        std::string url;
    };
    // One certificate of the path.
    struct Level {
        RevocationAnswer answer;
        RevocationLists lists;  // fetched, now or before
        std::vector<Source> sources;
        std::size_t asked_count = 0;  // of the sources
        bool is_settled = false;      // nothing more will be asked
        WorkerPool::Ticket asking, judging;
    };
    struct Found;  // by the first job

    void on_found(Found found);
    void take_kept();
    void judge_again();
    void ask_all();
    void advance(std::size_t place);
    void on_answer(std::size_t place, RevocationAnswer answer);
    void on_lists(std::size_t place, const RevocationLists& lists, const std::string& what);
    void give_up();
    void settle();
    void finish(RevocationAnswer answer);
    std::string name_of(std::size_t place) const;

    const House house_;
    const std::vector<CertificatePtr> path_;
    std::vector<Bytes> embedded_;
    RevocationLists embedded_lists_;
    const std::int64_t wall_seconds_;
    Done done_;
    std::vector<Level> levels_;  // the path's, without the anchor
    WorkerPool::Ticket work_;
    std::unique_ptr<Timer> deadline_;
};

}  // namespace sealgate
