// SPDX-License-Identifier: GPL-3.0-or-later
// What a directory or the DNS answered, as a recipient's key or as none. Runs on workers.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "dns/smimea.h"
#include "smtp/key_choice.h"

namespace sealgate {

// Values of LDAP entries (crypto/ldap_entry.h): DER certificates (userCertificate, RFC 4523 §2.1)
// or PKCS#7 bags of them (userSMIMECertificate, RFC 2798 §2.8). A value that is neither is passed
// over, for it belongs to this recipient alone.
KeyAnswer key_of_entries(const KeyChoice& choice, const std::string& body);

// The body of an HTTPS answer: PEM, DER or PKCS#7. Text that is none of them is not "no key": the
// server is not what it was taken for. `temporary` then; an empty body is none.
KeyAnswer key_of_file(const KeyChoice& choice, const std::string& body);

// SMIMEA records, signed by DNSSEC. `trust`: for those of usage 1, which must pass path validation
// besides (RFC 6698 §2.1.1); choice.judge is not looked at.
KeyAnswer key_of_records(KeyChoice choice, const TrustJudge& trust,
                         const std::vector<SmimeaRecord>& records);

// Where the records of local@domain (in lookup form) are.
Result<std::string> smimea_name_of(std::string_view address);

}  // namespace sealgate
