// SPDX-License-Identifier: GPL-3.0-or-later
// Every protocol and safety bound, with its reason. What an operator may choose is in
// core/options.cc instead.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sealgate::limits {

// --- bytes on their way ------------------------------------------------------------------------

// One read from a socket. Large enough that a 10 KB message is one or two system calls.
inline constexpr std::size_t read_block_bytes = 64 * 1024;
// Reads are given at least this much room; below it the read block is replaced.
inline constexpr std::size_t read_room_bytes_min = 8 * 1024;
// What a session may have unsent on its socket before what feeds it is told `full`.
inline constexpr std::size_t unsent_bytes_max = 64 * 1024;

// --- SMTP (RFC 5321 §4.5.3.1) ------------------------------------------------------------------

// The RFC's floor is 512; extensions (DSN's ORCPT, SIZE, SMTPUTF8) add to it. spec: "≤ 2048".
inline constexpr std::size_t command_line_bytes_max = 2048;
// A client may pipeline; replies it does not read pile up here, then its commands are not read.
inline constexpr std::size_t pending_reply_bytes_max = 16 * 1024;
// Bad commands in one session before 421: a peer that talks something else than SMTP.
inline constexpr int bad_commands_max = 20;
// RFC 5321 §4.5.3.1.3: a path is at most 256 octets; with SMTPUTF8 octets, not characters.
inline constexpr std::size_t address_bytes_max = 256;
inline constexpr std::size_t local_part_bytes_max = 64;  // of patterns; mail may have longer ones
inline constexpr std::size_t domain_bytes_max = 255;
// RFC 5321 §6.3: "at least 100" hops would be loop; ours is stricter by spec/operations.md.
inline constexpr int received_fields_max = 50;
// A message whose header is larger is refused (552 5.3.4): the header is held in memory until the
// policy has decided, and a session has 256 KB in all.
inline constexpr std::size_t header_bytes_max = 128 * 1024;
// RFC 5322 §2.1.1: a line has at most 998 characters without its CRLF.
inline constexpr std::size_t line_bytes_max = 998;

// --- delivery ----------------------------------------------------------------------------------

// RFC 5321 §4.5.3.1.5 says 512 for a reply line; hosts that tell a story get more.
inline constexpr std::size_t reply_line_bytes_max = 2048;
inline constexpr std::size_t reply_lines_max = 100;
// Addresses tried for one connection, over all hosts of a destination (Postfix tries 5).
inline constexpr int connect_attempts_max = 10;

// --- MIME --------------------------------------------------------------------------------------

// Multiparts inside multiparts; Postfix's mime_nesting_limit is 100, clients stop near 20.
// What lies deeper is carried along unchanged, never looked into.
inline constexpr int mime_depth_max = 32;
// A body part's header; what is longer is carried along as body.
inline constexpr std::size_t part_header_bytes_max = 32 * 1024;
// RFC 2046 §5.1.1: 70 characters; some clients write longer ones.
inline constexpr std::size_t boundary_bytes_max = 200;
// A part that is said to be 7-bit is held back this far to see whether it is.
inline constexpr std::size_t hold_back_bytes_max = 64 * 1024;

// --- S/MIME ------------------------------------------------------------------------------------

// Content in an encrypting stage, at work or waiting for a worker: then Flow::full. Two runs of the
// worker; a session has 256 KB, most of which the spool's pieces and a block of the socket's take.
inline constexpr std::size_t encrypt_waiting_bytes_max = 32 * 1024;
// Parts of one message (envelopes of hidden recipients, a split for want of keys) that its body
// streams through at once. A message of more is stored as it came and done in turns.
inline constexpr std::size_t parts_at_once_max = 8;
// Content under one key and nonce of GCM. NIST SP 800-38D §5.2.1.1 (and RFC 5084 §3.2) end at
// 2^36-32; wolfCrypt counts the content in 32 bits, and refuses what would run over.
inline constexpr std::uint64_t gcm_content_bytes_max = (std::uint64_t{1} << 32) - 64 * 1024;
static_assert(gcm_content_bytes_max <= (std::uint64_t{1} << 36) - 32, "NIST SP 800-38D");
// Attributes and extensions say in 100 bytes what a program can decrypt.
inline constexpr std::size_t smime_capabilities_bytes_max = 16 * 1024;

// --- S/MIME that comes in (crypto/cms_reader.h, smtp/smime_reader.h) -----------------------------

// Layers inside each other that are opened; more is `too-many-layers` (spec/smime.md, Incoming 5).
inline constexpr std::size_t smime_layers_max = 5;
// Constructed elements inside each other. Real CMS has some ten, and segmented octet strings in
// segmented octet strings are nobody's.
inline constexpr int ber_depth_max = 32;
// One element that is gathered whole before it is looked at: a RecipientInfo, a certificate with
// many names, a SignerInfo with a time stamp in it.
inline constexpr std::size_t cms_element_bytes_max = 64 * 1024;
// RecipientInfos that are looked at, one after the other: the gateway's own may be the last of a
// large mailing's.
inline constexpr std::size_t cms_recipients_max = 10'000;
// Of those, the ones for keys of ours that are kept and tried.
inline constexpr std::size_t cms_matches_max = 4;
// SignerInfos; each costs a public-key operation and a path. All must verify, so more is refused.
inline constexpr std::size_t cms_signers_max = 16;
// What a SignedData brings along to be looked at later, in all: certificates, SignerInfos. A
// session has 256 KB.
inline constexpr std::size_t cms_certificates_bytes_max = 64 * 1024;
inline constexpr std::size_t cms_signers_bytes_max = 64 * 1024;
// Revocation lists in a message; larger ones are passed over, they can be fetched.
inline constexpr std::size_t cms_crls_bytes_max = 32 * 1024;

// --- revocation (crypto/revocation.h) ----------------------------------------------------------

// One list. The largest public ones have some 10 MB.
inline constexpr std::size_t crl_bytes_max = 32 << 20;
// Lists and answers that are kept; the ones not used for longest go first.
inline constexpr std::size_t crl_cache_bytes_max = 128 << 20;
inline constexpr std::size_t ocsp_answers_max = 20'000;
inline constexpr std::size_t ocsp_answer_bytes_max = 64 * 1024;
// A list or responder that failed is left alone so long.
inline constexpr std::uint64_t revocation_failure_kept_ms = 60'000;
// How long a message waits for lists and responders, of all its path together. Then it is
// `revocation-unknown`, and `prefer` or `require` decides.
inline constexpr std::uint64_t revocation_wait_ms = 10'000;
// Addresses of lists and responders in one certificate that are asked.
inline constexpr std::size_t revocation_sources_max = 4;

// --- alerts (core/alerts.h) --------------------------------------------------------------------

// Subjects (domains, destinations) that are remembered for throttling; the oldest go first.
inline constexpr std::size_t alert_subjects_max = 10'000;
// Alerts that `sealgate alerts` shows.
inline constexpr std::size_t alerts_shown_max = 200;

// --- asking servers beyond (core/fetch.h) ------------------------------------------------------

// One answer, unless the request says less or more: a certificate is 2 KB, a directory entry with a
// photograph 100 KB.
inline constexpr std::size_t fetch_bytes_max = 1 << 20;
// Connections at once, in all and to one host; other requests wait, and their time runs.
inline constexpr long fetch_connections_max = 100;
inline constexpr long fetch_host_connections_max = 16;

// --- looking keys up ---------------------------------------------------------------------------

// Questions to directories and the DNS that one message has under way at once; its other recipients
// wait for these, so that a mailing to a thousand does not fill everybody's queue.
inline constexpr std::size_t key_questions_per_message_max = 16;
// Questions under way at one source, for all messages; beyond, "temporarily no key". A directory
// that takes a second for each is full at this many messages a second.
inline constexpr std::size_t key_questions_max = 1000;
// Answers of directories that are kept, of all of them together: 3 KB each with a certificate.
inline constexpr std::size_t directory_answers_max = 20'000;
// A failure is kept so long, so that a directory that is down is not asked for every recipient.
inline constexpr std::uint64_t directory_failure_kept_ms = 5000;
inline constexpr std::size_t directory_failed_hosts_max = 1000;
// Certificates in one answer: chains included, people have a few.
inline constexpr std::size_t directory_certificates_max = 100;

// --- trust (crypto/trust_path.h) ---------------------------------------------------------------

// Authorities between a certificate and an anchor. Real paths have one to three.
inline constexpr int trust_intermediates_max = 8;
// Certificates that came with one, among which its issuers may be.
inline constexpr std::size_t trust_others_max = 50;
// A stranger may send many certificates with one name: paths tried, and signatures looked at while
// issuers are sought (RSA-4096 takes 0.1 ms, P-384 half a millisecond).
inline constexpr int trust_attempts_max = 8;
inline constexpr int trust_signatures_max = 64;

// --- TLS ---------------------------------------------------------------------------------------

// What a peer may send before its handshake is done. wolfSSL takes no message over 18 KB, but a
// record may hold one byte of it.
inline constexpr std::size_t tls_handshake_bytes_max = 64 * 1024;
// RFC 8446 §5.1: the plaintext of one record.
inline constexpr std::size_t tls_record_bytes_max = 16 * 1024;
// Targets whose sessions a client keeps; the one not used for longest goes first. A session is
// 2 KB to 4 KB (ticket, and the chain as it came).
inline constexpr std::size_t tls_session_targets_max = 1000;

// --- spool -------------------------------------------------------------------------------------

// A message up to this size keeps its bytes in memory until delivered (while memory lasts), so that
// delivery does not read the store; a larger one is read back in pieces.
inline constexpr std::size_t young_message_bytes_max = 128 * 1024;
// Body bytes are put into the store in values of about this size.
inline constexpr std::size_t spool_piece_bytes = 64 * 1024;
// Body bytes of one message handed to the spool thread and not yet written: then Flow::full. One
// piece: a read of 64 KB becomes 88 KB of base64 before the socket hears of it, and all of that
// together must stay within a session's 256 KB.
inline constexpr std::size_t spool_unwritten_bytes_max = spool_piece_bytes;
// Free space under which the gateway answers 452 4.3.1 before DATA.
inline constexpr std::uint64_t disk_free_bytes_min = std::uint64_t{64} << 20;

static_assert(header_bytes_max + hold_back_bytes_max <= 256 * 1024,
              "a streaming session has 256 KB");
static_assert(read_room_bytes_min < read_block_bytes);

// --- policy ------------------------------------------------------------------------------------

// One regular expression; Hyperscan's compile time grows with it.
inline constexpr std::size_t regex_bytes_max = 1000;
// A condition's text, or a whole file of message filters.
inline constexpr std::size_t filter_bytes_max = 1 << 20;
// Parentheses and `not` inside each other: the parser is recursive.
inline constexpr int filter_depth_max = 64;

// --- configuration -----------------------------------------------------------------------------

inline constexpr std::size_t config_file_bytes_max = 16 << 20;
inline constexpr int config_complaints_max = 1000;  // more are counted, not printed

}  // namespace sealgate::limits
