// SPDX-License-Identifier: GPL-3.0-or-later
// The sink's certificate, from files to what TLS connections share. Blocks for the files.
#pragma once

#include <memory>
#include <string>

#include "core/result.h"

namespace sealgate {

class TlsContext;

// `certificate_file`: PEM, the leaf and then its issuers, perhaps with the key; `key_file`: PEM,
// when the key is not there (empty otherwise). `why` names the file.
Result<std::shared_ptr<TlsContext>> load_sink_tls(const std::string& certificate_file,
                                                  const std::string& key_file, std::string* why);

}  // namespace sealgate
