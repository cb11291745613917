// SPDX-License-Identifier: GPL-3.0-or-later
// One session of the sink: the least of an SMTP server that other servers are content with.
//
// Commands may be pipelined; all their replies leave in one write. It checks what the ledgers need
// (that there is a sender before a recipient, a recipient before the content), that no parameter
// comes which was not offered, and no more. Content with a lone CR or LF is refused with 550
// 5.6.11, so that nothing slips past unnoticed. Faults (sink_faults.h) strike before a command is
// looked at; while a session waits, what comes from the client is kept back, and past a limit not
// read. Loop thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/timer.h"
#include "core/transport.h"
#include "smtp/bdat_reader.h"
#include "smtp/commands.h"
#include "smtp/data_reader.h"
#include "tools/sealload/sink.h"

namespace sealgate {

struct TlsOutcome;

class SinkSession final : public Transport::Handler {
public:
    SinkSession(LoadSink& sink, std::uint64_t id, std::unique_ptr<Transport> transport);
    ~SinkSession() override;

    void start();
    // The message is counted, or could not be kept; the session goes on.
    void on_taken(bool kept);

private:
    enum class State : std::uint8_t {
        greeting,
        upgrade,
        handshake,
        command,
        data,
        bdat,
        ended,
        taking,
        delayed,
        closed
    };

    void on_bytes(Chunk chunk) override;
    void on_established(const TlsOutcome& outcome, State next);
    void on_end() override { close(); }
    void on_broken(std::string) override { close(); }
    void on_drain() override {}

    void receive(Chunk chunk);
    void run();
    void run_kept_back();
    bool step_greeting();
    bool step_upgrade();
    bool step_command();
    bool step_data();
    bool step_bdat();
    bool step_ended();
    bool on_command(std::string_view line);
    void on_mail(std::string_view argument);
    void on_rcpt(std::string_view argument);
    void on_starttls();
    void on_data();
    void on_bdat(std::string_view argument);
    void begin_tls(State next);
    void begin_content();
    void gather(ByteSpan bytes);
    void answer_taken(bool kept);

    // Whether a fault stops us here, and the rest of the command is not for now.
    bool is_struck(FaultPlace place);
    bool is_refused(FaultPlace place);
    void wait(std::uint64_t ms);
    void read_slowly();

    void say(std::string_view reply);
    void say_hello();
    void flush();
    void reset();
    void end_after_sending();
    void close();

    LoadSink& sink_;
    std::uint64_t id_;
    std::unique_ptr<Transport> transport_;
    State state_ = State::greeting;
    State after_delay_ = State::greeting;
    bool is_delay_over_ = false;
    bool has_tls_ = false;
    std::string_view input_;  // what run() has not consumed yet
    std::string kept_back_;   // what came and cannot be consumed yet
    std::string replies_;
    bool has_mail_ = false;
    bool has_content_ = false;
    bool bare_line_end_ = false;
    std::string bdat_refusal_;  // the chunk's bytes are read and thrown away
    std::uint64_t drop_at_bytes_ = 0;
    ReceivedMail mail_;
    DataReader data_;
    BdatReader bdat_;
    std::unique_ptr<Timer> delay_;
    std::unique_ptr<Timer> slow_reader_;
    ChunkList unread_;  // with --read-rate: what the session has not been given yet
};

}  // namespace sealgate
