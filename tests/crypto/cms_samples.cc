// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/crypto/cms_samples.h"

#include <algorithm>

#include "crypto/oid.h"
#include "tests/crypto/ber_forms.h"

namespace sealgate::test {

// --- the tape ------------------------------------------------------------------------------------

bool CmsTape::write(Chunk chunk) {
    const auto written = reader.write(std::move(chunk));
    if (!written) {
        error = written.error();
    } else {
        flow = *written;
    }
    return written.has_value();
}

bool CmsTape::finish() {
    const auto finished = reader.finish();
    if (!finished) error = finished.error();
    return finished.has_value();
}

bool CmsTape::feed(ByteSpan cms, std::size_t piece_bytes) {
    while (!cms.empty()) {
        const std::size_t bytes = std::min(piece_bytes, cms.size());
        if (!write(Chunk::copy_of(cms.first(bytes)))) return false;
        cms = cms.subspan(bytes);
    }
    return finish();
}

std::string CmsTape::outcome() const {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    if (error) text += std::string(to_text(error->kind)) + ": " + error->what + "\n";
    return text;
}

std::size_t CmsTape::count(std::string_view what) const {
    return static_cast<std::size_t>(
        std::count_if(lines.begin(), lines.end(), [&](const std::string& line) {
            return line == what || line.starts_with(std::string(what) + " ");
        }));
}

Result<void> CmsTape::note(std::string what, ByteSpan octets) {
    const bool fails = what == fails_at;
    lines.push_back(std::move(what) + (octets.empty() ? "" : " " + to_hex(octets)));
    if (fails) return untrusted("said no");
    return {};
}

CmsHandler* CmsTape::on_cms_type(CmsType the_type) {
    CHECK(!type);  // asked once
    type = the_type;
    lines.push_back(to_text(the_type));
    return nobody ? nullptr : this;
}

Result<void> CmsTape::on_digest_algorithm(ByteSpan der) { return note("digest_algorithm", der); }
Result<void> CmsTape::on_recipient_info(ByteSpan der) { return note("recipient_info", der); }

Result<void> CmsTape::on_content_type(ByteSpan oid, ByteSpan algorithm) {
    const std::string with = algorithm.empty() ? "" : " " + to_hex(algorithm);
    TRY(note("content_type", oid));
    lines.back() += with;
    return {};
}

Result<Flow> CmsTape::on_content(Chunk piece) {
    CHECK(!piece.empty());
    ++pieces;
    content_bytes += piece.size();
    if (keeps_content) content.insert(content.end(), piece.data(), piece.data() + piece.size());
    if (fails_at == "content") return untrusted("said no");
    return answer;
}

Result<void> CmsTape::on_content_end(bool has_content) {
    CHECK(has_content || content_bytes == 0);
    return note(has_content ? "content_end" : "no_content_end", content);
}

Result<void> CmsTape::on_certificate(ByteSpan der) { return note("certificate", der); }
Result<void> CmsTape::on_crl(ByteSpan der) { return note("crl", der); }
Result<void> CmsTape::on_signer_info(ByteSpan der) { return note("signer_info", der); }
Result<void> CmsTape::on_authenticated_attributes(ByteSpan der) {
    return note("authenticated_attributes", der);
}
Result<void> CmsTape::on_mac(ByteSpan octets) { return note("mac", octets); }
Result<void> CmsTape::on_end() { return note("end", {}); }

// --- putting together ----------------------------------------------------------------------------

Bytes element_of(std::uint8_t tag, const Bytes& contents) {
    BerWriter out;
    out.element(tag, ByteSpan(contents));
    return out.take();
}

Bytes oid_element(ByteSpan oid) { return {oid.begin(), oid.end()}; }

Bytes row_of(std::initializer_list<Bytes> elements) {
    Bytes row;
    for (const Bytes& element : elements) row.insert(row.end(), element.begin(), element.end());
    return row;
}

Bytes content_info(ByteSpan type, const Bytes& contents) {
    return element_of(ber::sequence,
                      row_of({oid_element(type),
                              element_of(ber::context(0), element_of(ber::sequence, contents))}));
}

Bytes sequence_of_size(std::size_t bytes) {
    Bytes made;
    for (std::size_t contents = bytes - 4; made.size() != bytes; --contents) {
        CHECK(contents > 0);
        made = element_of(ber::sequence, element_of(ber::octet_string, Bytes(contents, 0x5a)));
    }
    return made;
}

// --- the samples ---------------------------------------------------------------------------------
namespace {

struct Writing {
    std::string name;
    std::string type;
    std::string contents;  // of the sequence in the ContentInfo, hexadecimal
    std::string told;
};

std::string element(const char* tag, const std::string& contents) {
    const Bytes bytes = from_hex(contents);
    return to_hex(element_of(from_hex(tag)[0], bytes));
}

// Something of each kind, with bit and octet strings in it that segments can cut.
const std::string data_oid = to_hex(oid::data);
const std::string digest = element("30", to_hex(oid::sha256) + "0500");
const std::string digest_two = element("30", to_hex(oid::sha512));
const std::string certificate =
    element("30", element("30", "020105" + element("04", "c1c2c3c4c5c6c7c8c9cacbcc")) + digest +
                      element("03", "00d1d2d3d4d5d6d7d8d9"));
const std::string other_certificate = element("30", "020106");
const std::string crl = element("30", element("30", "020101") + element("03", "05e1e2e0"));
const std::string signer = element("30", "020101" + digest + element("04", "f1f2f3f4f5f6f7f8"));
const std::string signer_two =
    element("30", "020103" + element("a0", element("30", to_hex(oid::signing_time) + "3100")));
const std::string key_transport = element("30", "020100" + element("04", "a1a2a3a4a5a6a7a8a9"));
const std::string key_agreement = element("a1", "020103" + element("a0", element("04", "b1b2b3")));
const std::string kek = element("a2", "020104");
const std::string password = element("a3", "020100");
const std::string other_recipient = element("a4", to_hex(oid::data));
const std::string cipher =
    element("30", to_hex(oid::aes256_cbc) + element("04", "0102030405060708"));
const std::string text = "48656c6c6f2c20576f726c640d0a";
const std::string attributes = element("a1", element("30", to_hex(oid::content_type) + "3100"));

std::string sample_content_info(const std::string& type, const std::string& contents) {
    return element("30", type + element("a0", element("30", contents)));
}

std::vector<Writing> writings() {
    const std::string inner = element("30", data_oid + element("a0", element("04", text)));
    const std::string absent = element("30", data_oid);
    const std::string empty = element("30", data_oid + "a0020400");
    const std::string encrypted = element("30", data_oid + cipher + element("80", text));
    const std::string not_encrypted = element("30", data_oid + cipher);
    const std::string of_none = element("30", data_oid + cipher + "8000");
    const std::string signed_data = to_hex(oid::signed_data);
    const std::string enveloped = to_hex(oid::enveloped_data);
    const std::string auth = to_hex(oid::auth_enveloped_data);
    const std::string told_type = "content_type " + data_oid + "\n";
    const std::string told_cipher = "content_type " + data_oid + " " + cipher + "\n";
    const std::string told_text = "content_end " + text + "\n";
    return {
        {"opaque", signed_data,
         "020101" + element("31", digest) + inner + element("a0", certificate) +
             element("31", signer),
         "digest_algorithm " + digest + "\n" + told_type + told_text + "certificate " +
             certificate + "\nsigner_info " + signer + "\n"},
        {"detached", signed_data,
         "020101" + element("31", digest) + absent + element("a0", certificate) +
             element("31", signer),
         "digest_algorithm " + digest + "\n" + told_type + "no_content_end\ncertificate " +
             certificate + "\nsigner_info " + signer + "\n"},
        {"empty content", signed_data,
         "020101" + element("31", digest) + empty + element("31", signer),
         "digest_algorithm " + digest + "\n" + told_type + "content_end\nsigner_info " + signer +
             "\n"},
        {"certificates only", signed_data,
         "0201013100" + absent + element("a0", certificate + other_certificate) + "3100",
         told_type + "no_content_end\ncertificate " + certificate + "\ncertificate " +
             other_certificate + "\n"},
        {"nothing at all", signed_data, "0201013100" + absent + "a000a1003100",
         told_type + "no_content_end\n"},
        {"kinds of certificates and lists", signed_data,
         "02017f" + element("31", digest_two + digest) + absent +
             element("a0", element("a1", "020101") + other_certificate + element("a3", data_oid) +
                               element("a0", "0500") + certificate + element("a2", "3000")) +
             element("a1", element("a1", data_oid + "3000") + crl) +
             element("31", signer_two + signer),
         "digest_algorithm " + digest_two + "\ndigest_algorithm " + digest + "\n" + told_type +
             "no_content_end\ncertificate " + other_certificate + "\ncertificate " + certificate +
             "\ncrl " + crl + "\nsigner_info " + signer_two + "\nsigner_info " + signer + "\n"},
        {"enveloped", enveloped, "020100" + element("31", key_transport) + encrypted,
         "recipient_info " + key_transport + "\n" + told_cipher + told_text},
        {"enveloped, all of it", enveloped,
         "020102" + element("a0", element("a0", certificate) + element("a1", crl)) +
             element("31", other_recipient + key_agreement + key_transport + password + kek) +
             encrypted + element("a1", digest),
         "certificate " + certificate + "\ncrl " + crl + "\nrecipient_info " + other_recipient +
             "\nrecipient_info " + key_agreement + "\nrecipient_info " + key_transport +
             "\nrecipient_info " + password + "\nrecipient_info " + kek + "\n" + told_cipher +
             told_text},
        {"enveloped without content", enveloped,
         "020100" + element("31", key_transport) + not_encrypted,
         "recipient_info " + key_transport + "\n" + told_cipher + "no_content_end\n"},
        {"enveloped, of nothing, for nobody", enveloped,
         "020100"
         "a000"
         "3100" +
             of_none,
         told_cipher + "content_end\n"},
        {"authenticated and enveloped", auth,
         "020100" + element("31", key_transport) + encrypted +
             element("04", "00112233445566778899"),
         "recipient_info " + key_transport + "\n" + told_cipher + told_text +
             "mac 00112233445566778899\n"},
        {"authenticated and enveloped, all of it", auth,
         "020100" + element("a0", element("a0", other_certificate)) + element("31", key_agreement) +
             encrypted + attributes + element("04", "0011223344") + element("a2", digest),
         "certificate " + other_certificate + "\nrecipient_info " + key_agreement + "\n" +
             told_cipher + told_text + "authenticated_attributes " + attributes +
             "\nmac 0011223344\n"},
    };
}

std::string type_text(const std::string& oid) {
    if (oid == to_hex(oid::signed_data)) return "signedData\n";
    return oid == to_hex(oid::enveloped_data) ? "envelopedData\n" : "authEnvelopedData\n";
}

}  // namespace

const std::vector<CmsSample>& cms_samples() {
    static const std::vector<CmsSample> samples = [] {
        std::vector<CmsSample> made;
        for (const Writing& writing : writings()) {
            made.push_back({writing.name,
                            from_hex(sample_content_info(writing.type, writing.contents)),
                            type_text(writing.type) + writing.told + "end\n"});
        }
        return made;
    }();
    return samples;
}

}  // namespace sealgate::test
