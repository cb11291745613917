// SPDX-License-Identifier: GPL-3.0-or-later
// One session of the sink: the least of an SMTP server that other servers are content with.
//
// Commands may be pipelined; all their replies leave in one write. It checks what the ledgers need
// (that there is a sender before a recipient, a recipient before the content) and no more. Content
// with a lone CR or LF is refused with 550 5.6.11, so that nothing slips past unnoticed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/socket.h"
#include "smtp/bdat_reader.h"
#include "smtp/data_reader.h"
#include "tools/sealload/sink.h"

namespace sealgate {

class SinkSession final : public Socket::Handler {
public:
    SinkSession(LoadSink& sink, std::uint64_t id, std::unique_ptr<Socket> socket);
    ~SinkSession() override;

    void start();
    // The message is counted, or could not be kept; the session goes on.
    void on_taken(bool kept);

private:
    enum class State : std::uint8_t { command, data, bdat, taking, closed };

    void on_bytes(Chunk chunk) override;
    void on_end() override { close(); }
    void on_broken(std::string) override { close(); }
    void on_drain() override {}

    void advance();
    bool step_command();
    bool step_data();
    bool step_bdat();
    void on_command(std::string_view line);
    void on_mail(std::string_view argument);
    void on_rcpt(std::string_view argument);
    void on_data();
    void on_bdat(std::string_view argument);
    void gather(ByteSpan bytes);
    void finish_content(bool has_bare_line_end);
    void say(std::string_view reply) { replies_.append(reply).append("\r\n"); }
    void say_failure();
    void say_hello();
    void flush();
    void reset();
    void close();

    LoadSink& sink_;
    std::uint64_t id_;
    std::unique_ptr<Socket> socket_;
    State state_ = State::command;
    std::string input_;
    std::size_t read_ = 0;  // of input_
    std::string replies_;
    bool has_mail_ = false;
    bool bdat_refused_ = false;  // the chunk's bytes are read and thrown away
    ReceivedMail mail_;
    DataReader data_;
    BdatReader bdat_;
};

}  // namespace sealgate
