// SPDX-License-Identifier: GPL-3.0-or-later
// Whole dialogues as rows: what the client says, what the host answers; each fed at every cut.
#include "smtp/delivery_session.h"

#include <gtest/gtest.h>

namespace sealgate {
namespace {

struct Exchange {
    std::string said;    // by the client, all of it since the last answer
    std::string answer;  // of the host
};

struct Case {
    const char* name;
    std::string extensions;  // keywords after EHLO, space-separated ("SIZE=1000": with an argument)
    void (*change)(DeliveryTask&);
    std::vector<Exchange> dialogue;
    std::string want;     // "rid:kind:code enhanced text" for each recipient, or a prefix of it
    bool closed = false;  // whether the session is over after it
};

std::string shown(const std::vector<RecipientOutcome>& outcomes) {
    std::string text;
    for (const RecipientOutcome& outcome : outcomes) {
        const char* kinds[] = {"delivered", "deferred", "failed"};
        text += std::to_string(outcome.rid) + ":" + kinds[static_cast<int>(outcome.kind)] + ":" +
                std::to_string(outcome.reply.code) + " " + outcome.reply.text() +
                (outcome.from_host ? "" : " (ours)") + (outcome.dsn_relayed ? " (dsn)" : "") + "\n";
    }
    return text;
}

std::string ehlo_answer(const std::string& extensions) {
    std::string answer = "250-mx.example.net\r\n", word;
    for (const char byte : extensions + " ") {
        if (byte != ' ') {
            word += byte == '=' ? ' ' : byte;
        } else if (!word.empty()) {
            answer += "250-" + word + "\r\n";
            word.clear();
        }
    }
    return answer + "250 HELP\r\n";
}

DeliveryTask task_with_one_recipient() {
    DeliveryTask task;
    task.mid = 6;
    task.sender = "a@example.com";
    task.recipients.push_back({0, "b@example.net", "", {}});
    task.in_memory = true;
    task.bytes.append(Chunk::copy_of("Subject: x\r\n\r\n.dot\r\n"));
    task.body_bytes = task.bytes.bytes();
    return task;
}

void two_recipients(DeliveryTask& task) { task.recipients.push_back({3, "c@example.net", "", {}}); }
void from_the_spool(DeliveryTask& task) { task.in_memory = false; }
void two_from_the_spool(DeliveryTask& task) {
    two_recipients(task);
    from_the_spool(task);
}

// Speaks for the host. Bodies that are not in memory are given in two pieces.
class Dialogue {
public:
    explicit Dialogue(std::size_t cut) : cut_(cut) {}

    void hear(const std::string& answer) {
        const std::size_t at = std::min(cut_, answer.size());
        session.receive(as_bytes(std::string_view(answer).substr(0, at)));
        run();
        session.receive(as_bytes(std::string_view(answer).substr(at)));
        run();
    }
    void run() {
        for (;;) {
            last = session.advance();
            said += session.take_output().to_string();
            if (last == DeliverySession::Wait::body) {
                feed();
            } else if (last == DeliverySession::Wait::outcome) {
                outcomes += shown(session.take_outcomes());
            } else {
                return;
            }
        }
    }
    void begin(const DeliveryTask& given) {
        task = &given;
        fed = 0;
        outcomes.clear();
        session.deliver(given);
        run();
    }
    std::string take_said() { return std::exchange(said, {}); }

    DeliverySession session{"gate.example.com"};
    DeliverySession::Wait last = DeliverySession::Wait::input;
    std::string outcomes;

private:
    void feed() {
        const std::string text = task->bytes.to_string();
        const std::string pieces[] = {text.substr(0, 5), text.substr(5), ""};
        ChunkList piece;
        if (!pieces[fed].empty()) piece.append(Chunk::copy_of(pieces[fed]));
        ++fed;
        session.body(std::move(piece));
    }

    std::size_t cut_;
    std::string said;
    const DeliveryTask* task = nullptr;
    std::size_t fed = 0;
};

void greet(Dialogue& dialogue, const std::string& extensions) {
    dialogue.run();
    EXPECT_EQ(dialogue.take_said(), "");
    dialogue.hear("220-mx.example.net ESMTP\r\n220 hello\r\n");
    EXPECT_EQ(dialogue.take_said(), "EHLO gate.example.com\r\n");
    dialogue.hear(ehlo_answer(extensions));
    ASSERT_EQ(dialogue.last, DeliverySession::Wait::task);
    EXPECT_TRUE(dialogue.session.greeted());
}

class DeliveryDialogue : public testing::TestWithParam<Case> {};

TEST_P(DeliveryDialogue, IsTheSameAtEveryCut) {
    const Case& row = GetParam();
    DeliveryTask task = task_with_one_recipient();
    if (row.change) row.change(task);
    for (std::size_t cut = 0; cut < 120; ++cut) {
        SCOPED_TRACE(testing::Message() << "answers cut after byte " << cut);
        Dialogue dialogue(cut);
        greet(dialogue, row.extensions);
        dialogue.begin(task);
        for (const Exchange& exchange : row.dialogue) {
            EXPECT_EQ(dialogue.take_said(), exchange.said);
            dialogue.hear(exchange.answer);
        }
        EXPECT_EQ(dialogue.take_said(), "");
        EXPECT_EQ(dialogue.outcomes.substr(0, row.want.size()), row.want);
        EXPECT_EQ(dialogue.last == DeliverySession::Wait::closed, row.closed);
        EXPECT_EQ(dialogue.last == DeliverySession::Wait::task, !row.closed);
        if (HasFailure()) return;
    }
}

const std::string ok = "250 2.0.0 Ok\r\n";
const std::string go = "354 go\r\n";
const std::string mail = "MAIL FROM:<a@example.com>";
const std::string rcpt = "RCPT TO:<b@example.net>\r\n";
const std::string rcpt2 = "RCPT TO:<c@example.net>\r\n";
const std::string stuffed = "Subject: x\r\n\r\n..dot\r\n.\r\n";
const std::string plain = "Subject: x\r\n\r\n.dot\r\n";
const std::string group = mail + "\r\n" + rcpt + "DATA\r\n";
const std::string group2 = mail + "\r\n" + rcpt + rcpt2 + "DATA\r\n";
const std::string one_write = mail + "\r\n" + rcpt + "BDAT 20 LAST\r\n" + plain;
const std::string one_write2 = mail + "\r\n" + rcpt + rcpt2 + "BDAT 20 LAST\r\n" + plain;
const std::string queued = "250 2.0.0 Ok: queued\r\n";

const Case cases[] = {
    {"StepByStep",
     "",
     nullptr,
     {{mail + "\r\n", ok}, {rcpt, ok}, {"DATA\r\n", go}, {stuffed, queued}},
     "0:delivered:250 2.0.0 Ok: queued\n"},
    {"StepByStepMailRefused",
     "",
     nullptr,
     {{mail + "\r\n", "550 5.7.1 no\r\n"}},
     "0:failed:550 5.7.1 no\n"},
    {"StepByStepNobodyTaken",
     "",
     two_recipients,
     {{mail + "\r\n", ok}, {rcpt, "550 5.1.1 who\r\n"}, {rcpt2, "450 4.2.1 busy\r\n"}},
     "0:failed:550 5.1.1 who\n3:deferred:450 4.2.1 busy\n"},
    {"StepByStepDataRefused",
     "",
     nullptr,
     {{mail + "\r\n", ok}, {rcpt, ok}, {"DATA\r\n", "451 4.3.0 later\r\n"}},
     "0:deferred:451 4.3.0 later\n"},
    {"Pipelined",
     "PIPELINING",
     nullptr,
     {{group, ok + ok + go}, {stuffed, queued}},
     "0:delivered:250 2.0.0 Ok: queued\n"},
    {"PipelinedAnsweredOneByOne",
     "PIPELINING",
     nullptr,
     {{group, ok}, {"", ok}, {"", go}, {stuffed, queued}},
     "0:delivered:250 2.0.0 Ok: queued\n"},
    {"PipelinedOneOfTwo",
     "PIPELINING",
     two_recipients,
     {{group2, ok + ok + "550 5.1.1 who\r\n" + go}, {stuffed, queued}},
     "0:delivered:250 2.0.0 Ok: queued\n3:failed:550 5.1.1 who\n"},
    {"PipelinedNobodyYetDataGoes",
     "PIPELINING",
     nullptr,
     {{group, ok + "550 5.1.1 who\r\n" + go}, {".\r\n", "554 5.5.1 nobody\r\n"}},
     "0:failed:550 5.1.1 who\n"},
    {"PipelinedNobodyAndNoData",
     "PIPELINING",
     nullptr,
     {{group, ok + "550 5.1.1 who\r\n" + "503 5.5.1 nobody\r\n"}},
     "0:failed:550 5.1.1 who\n"},
    {"PipelinedMailRefused",
     "PIPELINING",
     nullptr,
     {{group, "452 4.3.1 disk\r\n503 5.5.1 a\r\n503 5.5.1 b\r\n"}},
     "0:deferred:452 4.3.1 disk\n"},
    {"PipelinedMailRefusedYetDataGoes",
     "PIPELINING",
     nullptr,
     {{group, "550 5.7.1 no\r\n503 5.5.1 a\r\n" + go}, {".\r\n", "554 5.5.1 b\r\n"}},
     "0:failed:550 5.7.1 no\n"},
    {"RefusedAtTheEnd",
     "PIPELINING",
     two_recipients,
     {{group2, ok + ok + ok + go}, {stuffed, "554-5.7.1 spam\r\n554 5.7.1 surely\r\n"}},
     "0:failed:554 5.7.1 spam surely\n3:failed:554 5.7.1 spam surely\n"},
    {"DeferredAtTheEnd",
     "PIPELINING",
     nullptr,
     {{group, ok + ok + go}, {stuffed, "452 4.3.1 full\r\n"}},
     "0:deferred:452 4.3.1 full\n"},
    {"TooManyRecipients",
     "PIPELINING",
     two_recipients,
     {{group2, ok + ok + "452 4.5.3 too many\r\n" + go}, {stuffed, queued}},
     "0:delivered:250 2.0.0 Ok: queued\n3:deferred:452 4.5.3 too many\n"},
    {"ChunkingInOneWrite",
     "PIPELINING CHUNKING",
     nullptr,
     {{one_write, ok + ok + queued}},
     "0:delivered:250 2.0.0 Ok: queued\n"},
    {"ChunkingOneOfTwo",
     "PIPELINING CHUNKING",
     two_recipients,
     {{one_write2, ok + "550 5.1.1 who\r\n" + ok + queued}},
     "0:failed:550 5.1.1 who\n3:delivered:250 2.0.0 Ok: queued\n"},
    {"ChunkingNobody",
     "PIPELINING CHUNKING",
     nullptr,
     {{one_write, ok + "550 5.1.1 who\r\n503 5.5.1 nobody\r\n"}},
     "0:failed:550 5.1.1 who\n"},
    {"ChunkingNobodyYetSuccess",
     "PIPELINING CHUNKING",
     nullptr,
     {{one_write, ok + "550 5.1.1 who\r\n" + queued}},
     "0:failed:550 5.1.1 who\n"},
    {"ChunkingMailRefused",
     "PIPELINING CHUNKING",
     nullptr,
     {{one_write, "550 5.7.1 no\r\n503 5.5.1 a\r\n503 5.5.1 b\r\n"}},
     "0:failed:550 5.7.1 no\n"},
    {"ChunkingRefusedAtTheEnd",
     "PIPELINING CHUNKING",
     nullptr,
     {{one_write, ok + ok + "552 5.3.4 big\r\n"}},
     "0:failed:552 5.3.4 big\n"},
    {"ChunkingWithoutPipelining",
     "CHUNKING",
     nullptr,
     {{mail + "\r\n", ok}, {rcpt, ok}, {"BDAT 20 LAST\r\n" + plain, queued}},
     "0:delivered:250 2.0.0 Ok: queued\n"},
    {"PiecesFromTheSpool",
     "PIPELINING CHUNKING",
     from_the_spool,
     {{mail + "\r\n" + rcpt, ok + ok},
      {"BDAT 5\r\nSubjeBDAT 15 LAST\r\n" + plain.substr(5), ok + queued}},
     "0:delivered:250 2.0.0 Ok: queued\n"},
    {"PiecesWaitWithoutPipelining",
     "CHUNKING",
     from_the_spool,
     {{mail + "\r\n", ok},
      {rcpt, ok},
      {"BDAT 5\r\nSubje", ok},
      {"BDAT 15 LAST\r\n" + plain.substr(5), queued}},
     "0:delivered:250 2.0.0 Ok: queued\n"},
    {"PieceRefused",
     "CHUNKING",
     from_the_spool,
     {{mail + "\r\n", ok}, {rcpt, ok}, {"BDAT 5\r\nSubje", "552 5.3.4 big\r\n"}},
     "0:failed:552 5.3.4 big\n"},
    {"PieceRefusedWhileTheNextGoes",
     "PIPELINING CHUNKING",
     two_from_the_spool,
     {{mail + "\r\n" + rcpt + rcpt2, ok + ok + ok},
      {"BDAT 5\r\nSubjeBDAT 15 LAST\r\n" + plain.substr(5), "452 4.3.1 a\r\n503 5.5.1 b\r\n"}},
     "0:deferred:452 4.3.1 a\n3:deferred:452 4.3.1 a\n"},
    {"TextFromTheSpool",
     "PIPELINING",
     from_the_spool,
     {{group, ok + ok + go}, {stuffed, queued}},
     "0:delivered:250 2.0.0 Ok: queued\n"},
    {"EmptyMessage",
     "PIPELINING CHUNKING",
     [](DeliveryTask& t) { t.bytes.clear(); },
     {{mail + "\r\n" + rcpt + "BDAT 0 LAST\r\n", ok + ok + queued}},
     "0:delivered:250 2.0.0 Ok: queued\n"},
    {"EmptyMessageAsText",
     "",
     [](DeliveryTask& t) { t.bytes.clear(); },
     {{mail + "\r\n", ok}, {rcpt, ok}, {"DATA\r\n", go}, {".\r\n", queued}},
     "0:delivered:250 2.0.0 Ok: queued\n"},
    {"NullSender",
     "",
     [](DeliveryTask& t) { t.sender.clear(); },
     {{"MAIL FROM:<>\r\n", "550 5.7.1 no\r\n"}},
     "0:failed:550 5.7.1 no\n"},

    {"SizeIsSaid",
     "PIPELINING SIZE=20",
     nullptr,
     {{mail + " SIZE=20\r\n" + rcpt + "DATA\r\n", ok + ok + go}, {stuffed, queued}},
     "0:delivered:250 2.0.0 Ok: queued\n"},
    {"SizeWithoutALimit",
     "PIPELINING SIZE",
     nullptr,
     {{mail + " SIZE=20\r\n" + rcpt + "DATA\r\n", ok + ok + go}, {stuffed, queued}},
     "0:delivered:250 2.0.0 Ok: queued\n"},
    {"SizeZeroIsNoLimit",
     "PIPELINING size=0",
     nullptr,
     {{mail + " SIZE=20\r\n" + rcpt + "DATA\r\n", ok + ok + go}, {stuffed, queued}},
     "0:delivered:250 2.0.0 Ok: queued\n"},
    {"SizeOverTheLimit",
     "SIZE=19",
     two_recipients,
     {},
     "0:failed:552 5.3.4 message of 20 bytes is over the host's limit of 19 (ours)\n3:failed:552 "},
    {"EightBit",
     "PIPELINING 8BITMIME",
     [](DeliveryTask& t) { t.body = BodyType::eight_bit; },
     {{mail + " BODY=8BITMIME\r\n" + rcpt + "DATA\r\n", ok + ok + go}, {stuffed, queued}},
     "0:delivered:250 2.0.0 Ok: queued\n"},
    {"EightBitSignedWithoutTheExtension",
     "PIPELINING CHUNKING",
     [](DeliveryTask& t) { t.body = BodyType::eight_bit, t.signed_by_gateway = true; },
     {},
     "0:failed:554 5.6.3 "},
    {"LongLinesSignedWithoutAWay",
     "PIPELINING",
     [](DeliveryTask& t) { t.has_long_lines = t.signed_by_gateway = true; },
     {},
     "0:failed:554 5.6.3 "},
    {"LongLinesGoByChunking",
     "PIPELINING CHUNKING",
     [](DeliveryTask& t) { t.has_long_lines = t.signed_by_gateway = true; },
     {{one_write, ok + ok + queued}},
     "0:delivered:250 2.0.0 Ok: queued\n"},
    {"Utf8AddressSaid",
     "PIPELINING SMTPUTF8 8BITMIME",
     [](DeliveryTask& t) { t.recipients[0].address = "\xc3\xb6@example.net"; },
     {{mail + " SMTPUTF8\r\nRCPT TO:<\xc3\xb6@example.net>\r\nDATA\r\n", ok + ok + go},
      {stuffed, queued}},
     "0:delivered:250 2.0.0 Ok: queued\n"},
    {"Utf8AddressWithoutTheExtension",
     "PIPELINING",
     [](DeliveryTask& t) { two_recipients(t), t.recipients[0].address = "\xc3\xb6@example.net"; },
     {{mail + "\r\n" + rcpt2 + "DATA\r\n", ok + ok + go}, {stuffed, queued}},
     "0:failed:553 5.6.7 address needs SMTPUTF8, which the host does not offer (ours)\n"
     "3:delivered:250 2.0.0 Ok: queued\n"},
    {"Utf8SenderWithoutTheExtension",
     "",
     [](DeliveryTask& t) { t.sender = "\xc3\xb6@example.com"; },
     {},
     "0:failed:553 5.6.7 "},
    {"Utf8HeaderWithoutTheExtension",
     "",
     [](DeliveryTask& t) { t.smtputf8 = true; },
     {},
     "0:failed:553 5.6.7 "},
    {"DsnParameters",
     "PIPELINING DSN",
     [](DeliveryTask& t) {
         t.envelope_id = "QQ314159";
         t.return_ = Envelope::Return::headers;
         t.recipients[0].original = "rfc822;b@example.org";
         t.recipients[0].notify = {true, false, true, true, false};
     },
     {{mail + " RET=HDRS ENVID=QQ314159\r\nRCPT TO:<b@example.net> NOTIFY=SUCCESS,FAILURE "
              "ORCPT=rfc822;b@example.org\r\nDATA\r\n",
       ok + ok + go},
      {stuffed, queued}},
     "0:delivered:250 2.0.0 Ok: queued (dsn)\n"},
    {"DsnNever",
     "PIPELINING DSN",
     [](DeliveryTask& t) {
         t.return_ = Envelope::Return::full;
         t.recipients[0].notify = {true, true, false, false, false};
     },
     {{mail + " RET=FULL\r\nRCPT TO:<b@example.net> NOTIFY=NEVER\r\nDATA\r\n", ok + ok + go},
      {stuffed, queued}},
     "0:delivered:250 2.0.0 Ok: queued (dsn)\n"},
    {"DsnParametersKeptWithoutTheExtension",
     "PIPELINING",
     [](DeliveryTask& t) {
         t.envelope_id = "QQ314159";
         t.recipients[0].notify = {true, false, true, false, false};
     },
     {{group, ok + ok + go}, {stuffed, queued}},
     "0:delivered:250 2.0.0 Ok: queued\n"},
    {"AddressThatWouldBeACommand",
     "PIPELINING",
     [](DeliveryTask& t) { t.recipients[0].address = "b@example.net>\r\nRSET\r\n<"; },
     {},
     "0:failed:553 5.1.3 "},
    {"EnvelopeIdThatWouldBeAParameter",
     "PIPELINING DSN",
     [](DeliveryTask& t) { t.envelope_id = "a RET=FULL"; },
     {{group, ok + ok + go}, {stuffed, queued}},
     "0:delivered:250 2.0.0 Ok: queued (dsn)\n"},

    {"ClosingAtMail",
     "",
     nullptr,
     {{mail + "\r\n", "421 4.3.2 bye\r\n"}},
     "0:deferred:421 4.3.2 bye\n",
     true},
    {"ClosingAtTheSecondRecipient",
     "PIPELINING",
     two_recipients,
     {{group2, ok + "550 5.1.1 who\r\n421 4.3.2 bye\r\n"}},
     "0:failed:550 5.1.1 who\n3:deferred:421 4.3.2 bye\n",
     true},
    {"ClosingAtTheEnd",
     "PIPELINING",
     nullptr,
     {{group, ok + ok + go}, {stuffed, "421 4.3.2 bye\r\n"}},
     "0:deferred:421 4.3.2 bye\n",
     true},
    {"Nonsense",
     "PIPELINING",
     nullptr,
     {{group, ok + "what?\r\n"}},
     "0:deferred:451 4.5.0 not an SMTP reply (ours)\n",
     true},
    {"DataAnsweredBySuccess",
     "PIPELINING",
     nullptr,
     {{group, ok + ok + ok}},
     "0:deferred:451 4.5.0 DATA answered by success (ours)\n",
     true},
    {"MailAnsweredByGo", "", nullptr, {{mail + "\r\n", go}}, "0:deferred:354 go\n"},
};
INSTANTIATE_TEST_SUITE_P(Rows, DeliveryDialogue, testing::ValuesIn(cases),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(DeliverySession, SaysRsetOnlyAfterAFailedTransaction) {
    Dialogue dialogue(0);
    greet(dialogue, "PIPELINING");
    const DeliveryTask task = task_with_one_recipient();
    dialogue.begin(task);
    EXPECT_EQ(dialogue.take_said(), group);
    dialogue.hear(ok + ok + go);
    EXPECT_EQ(dialogue.take_said(), stuffed);
    dialogue.hear(queued);
    dialogue.begin(task);
    EXPECT_EQ(dialogue.take_said(), group);
    dialogue.hear(ok + ok + "451 4.3.0 later\r\n");
    dialogue.begin(task);
    EXPECT_EQ(dialogue.take_said(), "RSET\r\n" + group);
    dialogue.hear(ok + ok + ok + go);
    EXPECT_EQ(dialogue.take_said(), stuffed);
    dialogue.hear(queued);
    EXPECT_EQ(dialogue.outcomes, "0:delivered:250 2.0.0 Ok: queued\n");
    dialogue.session.quit();
    dialogue.run();
    EXPECT_EQ(dialogue.take_said(), "QUIT\r\n");
    EXPECT_EQ(dialogue.last, DeliverySession::Wait::closed);
}

TEST(DeliverySession, SaysRsetAfterARefusedBdat) {
    Dialogue dialogue(0);
    greet(dialogue, "PIPELINING CHUNKING");
    const DeliveryTask task = task_with_one_recipient();
    dialogue.begin(task);
    EXPECT_EQ(dialogue.take_said(), one_write);
    dialogue.hear(ok + "550 5.1.1 who\r\n503 5.5.1 nobody\r\n");
    dialogue.begin(task);
    EXPECT_EQ(dialogue.take_said(), "RSET\r\n" + one_write);
    dialogue.hear(ok + ok + ok + queued);
    EXPECT_EQ(dialogue.outcomes, "0:delivered:250 2.0.0 Ok: queued\n");
}

TEST(DeliverySession, FallsBackToHelo) {
    Dialogue dialogue(0);
    dialogue.hear("220 old\r\n");
    dialogue.hear("502 what\r\n");
    EXPECT_EQ(dialogue.take_said(), "EHLO gate.example.com\r\nHELO gate.example.com\r\n");
    dialogue.hear("250 PIPELINING\r\n");
    EXPECT_EQ(dialogue.last, DeliverySession::Wait::task);
    EXPECT_FALSE(dialogue.session.extensions().esmtp);
    EXPECT_FALSE(dialogue.session.extensions().pipelining);
}

struct Refusal {
    const char* name;
    std::vector<std::string> answers;
    const char* want;
};

class UnfriendlyHost : public testing::TestWithParam<Refusal> {};

TEST_P(UnfriendlyHost, EndsTheSessionBeforeATask) {
    Dialogue dialogue(0);
    for (const std::string& answer : GetParam().answers) dialogue.hear(answer);
    EXPECT_EQ(dialogue.last, DeliverySession::Wait::closed);
    EXPECT_FALSE(dialogue.session.greeted());
    EXPECT_EQ(
        std::to_string(dialogue.session.failure().code) + " " + dialogue.session.failure().text(),
        GetParam().want);
}

const Refusal refusals[] = {
    {"NoService", {"554 5.7.1 go away\r\n"}, "554 5.7.1 go away"},
    {"Busy", {"421 4.3.2 busy\r\n"}, "421 4.3.2 busy"},
    {"Garbage", {"SSH-2.0-OpenSSH_9.2\r\n"}, "451 4.5.0 not an SMTP reply"},
    {"EhloDeferred", {"220 a\r\n", "450 4.7.1 b\r\n"}, "450 4.7.1 b"},
    {"HeloRefused", {"220 a\r\n", "500 b\r\n", "550 c\r\n"}, "550 c"},
    {"EndlessLine", {std::string(5000, '2')}, "451 4.5.0 reply line too long"},
};
INSTANTIATE_TEST_SUITE_P(Rows, UnfriendlyHost, testing::ValuesIn(refusals),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(DeliverySession, ClosesWhenAnIdleHostSaysSo) {
    Dialogue dialogue(0);
    greet(dialogue, "PIPELINING");
    dialogue.hear("421 4.4.2 idle too long\r\n");
    EXPECT_EQ(dialogue.last, DeliverySession::Wait::closed);
}

// A refusal that comes while the text is on its way: the outcome is the host's, the connection
// over.
TEST(DeliverySession, TakesARefusalInTheMiddleOfTheText) {
    DeliverySession session("gate.example.com");
    const DeliveryTask task = [] {
        DeliveryTask t = task_with_one_recipient();
        t.in_memory = false;
        return t;
    }();
    for (const std::string& answer : {std::string("220 a\r\n"), ehlo_answer("PIPELINING")}) {
        session.receive(as_bytes(answer));
        session.advance();
    }
    session.deliver(task);
    session.receive(as_bytes(ok + ok + go));
    ASSERT_EQ(session.advance(), DeliverySession::Wait::body);
    ChunkList piece;
    piece.append(Chunk::literal("Subje"));
    session.body(std::move(piece));
    ASSERT_EQ(session.advance(), DeliverySession::Wait::body);
    session.receive(as_bytes("552 5.3.4 too big\r\n"));
    ASSERT_EQ(session.advance(), DeliverySession::Wait::outcome);
    EXPECT_FALSE(session.worth_another_host());
    EXPECT_EQ(shown(session.take_outcomes()), "0:failed:552 5.3.4 too big\n");
    EXPECT_EQ(session.advance(), DeliverySession::Wait::closed);
}

// The store gave less than it had: the host must not take the half for the whole.
TEST(DeliverySession, NeverEndsATextThatIsCut) {
    for (const char* extensions : {"PIPELINING", "PIPELINING CHUNKING"}) {
        DeliverySession session("gate.example.com");
        DeliveryTask task = task_with_one_recipient();
        task.in_memory = false;
        for (const std::string& answer : {std::string("220 a\r\n"), ehlo_answer(extensions)}) {
            session.receive(as_bytes(answer));
            session.advance();
        }
        session.deliver(task);
        session.receive(as_bytes(ok + ok));
        session.advance();
        if (!session.extensions().chunking) session.receive(as_bytes(go));
        ASSERT_EQ(session.advance(), DeliverySession::Wait::body);
        static_cast<void>(session.take_output());
        ChunkList piece;
        piece.append(Chunk::literal("Subje"));
        session.body(std::move(piece));
        session.body({});
        ASSERT_EQ(session.advance(), DeliverySession::Wait::outcome);
        const std::string output = session.take_output().to_string();
        EXPECT_EQ(output.find("LAST"), output.npos);
        EXPECT_EQ(output.find("\r\n.\r\n"), output.npos);
        EXPECT_FALSE(session.worth_another_host());
        EXPECT_EQ(shown(session.take_outcomes()).substr(0, 10), "0:deferred");
        EXPECT_EQ(session.advance(), DeliverySession::Wait::closed);
    }
}

TEST(DeliverySession, KnowsWhenAnotherHostMayBeAsked) {
    struct Row {
        const char* name;
        std::string heard;
        bool want;
    };
    const DeliveryTask task = task_with_one_recipient();
    for (const char* extensions : {"PIPELINING", "PIPELINING CHUNKING"}) {
        const bool chunking = std::string_view(extensions).find("CHUNKING") != std::string::npos;
        for (const Row& row : {Row{"silent", "", true}, Row{"half an answer", ok, !chunking},
                               Row{"421 at once", "421 bye\r\n", true},
                               Row{"all but the end", ok + ok + (chunking ? "" : go), false}}) {
            SCOPED_TRACE(std::string(extensions) + ": " + row.name);
            Dialogue dialogue(0);
            greet(dialogue, extensions);
            dialogue.session.deliver(task);
            dialogue.session.receive(as_bytes(row.heard));
            static_cast<void>(dialogue.session.advance());
            dialogue.session.fail(make_reply(451, "4.4.2", "lost"));
            ASSERT_EQ(dialogue.session.advance(), DeliverySession::Wait::outcome);
            EXPECT_EQ(dialogue.session.worth_another_host(), row.want);
        }
    }
}

TEST(DeliverySession, MakesEightBitTextSevenBitForAnOldHost) {
    DeliveryTask task = task_with_one_recipient();
    task.body = BodyType::eight_bit;
    task.bytes.clear();
    task.bytes.append(
        Chunk::copy_of("Subject: x\r\nMIME-Version: 1.0\r\n"
                       "Content-Type: text/plain; charset=utf-8\r\n"
                       "Content-Transfer-Encoding: 8bit\r\n\r\n"
                       ".Gr\xc3\xbc\xc3\x9f"
                       "e\r\n"));
    for (const char* extensions : {"PIPELINING", "PIPELINING CHUNKING SIZE=100000"}) {
        Dialogue dialogue(0);
        greet(dialogue, extensions);
        dialogue.begin(task);
        EXPECT_EQ(dialogue.take_said(), group);
        dialogue.hear(ok + ok + go);
        const std::string said = dialogue.take_said();
        EXPECT_NE(said.find("Content-Transfer-Encoding: quoted-printable\r\n"), said.npos);
        EXPECT_NE(said.find("Gr=C3=BC=C3=9Fe"), said.npos) << said;
        EXPECT_TRUE(said.ends_with("\r\n.\r\n"));
        for (const char byte : said) EXPECT_LT(static_cast<unsigned char>(byte), 0x80);
        dialogue.hear(queued);
        EXPECT_EQ(dialogue.outcomes, "0:delivered:250 2.0.0 Ok: queued\n");
    }
}

}  // namespace
}  // namespace sealgate
