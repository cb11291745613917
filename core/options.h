// SPDX-License-Identifier: GPL-3.0-or-later
// The options table: every section and key an operator may write, as one row each.
//
// The same rows parse the INI file, check ranges, print `config show` and generate
// docs/configuration.md. A key of a feature that a later version brings is a row too (so that a
// file may name its default), but any value that would ask for the feature is a complaint: nothing
// is silently not done.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/complaint.h"
#include "core/config.h"
#include "core/result.h"

namespace sealgate {

struct LoadedConfig {
    std::shared_ptr<const Config> config;  // null when there are complaints
    // What could be understood in spite of complaints; only for finding more of them (certificates,
    // filters), so that an operator hears all in one go. Null when no file could be read.
    std::shared_ptr<const Config> draft;
    Complaints complaints;  // any of these: exit 78, nothing is started
    Complaints warnings;    // worth saying, not wrong
};

// Reads PATH (a file, or a directory whose *.ini are read in name order as one) and checks all that
// can be checked without opening certificates. Blocks (start-up, command line, a worker at reload).
LoadedConfig load_config(const std::string& path);
// The same from text, for tests and the built-in configuration; `name` stands for the file.
LoadedConfig parse_config(const std::string& text, const std::string& name);

// The same from several texts, read in this order as files of a directory are.
struct ConfigText {
    std::string name;  // stands for the file
    std::string text;
};
LoadedConfig parse_config(const std::vector<ConfigText>& texts);
// What PATH stands for, as load_config() reads it; `why` says which file cannot be read.
Result<std::vector<ConfigText>> read_config_texts(const std::string& path, std::string* why);

// The effective configuration as an INI file, defaults included, secrets masked.
std::string show_config(const Config& config);
// The same as JSON text: {"gateway": {"hostname": "…"}, "listener:NAME": {…}, …}.
std::string show_config_json(const Config& config);
// The sections of one kind ("sending-profile"), without what is as it is by itself.
std::string show_sections(const Config& config, std::string_view kind);
// What differs and cannot change at run time, a line each: "[gateway] data-dir: /a -> /b".
std::vector<std::string> changes_that_need_restart(const Config& before, const Config& after);
// docs/configuration.md, whole.
std::string options_reference_markdown();

}  // namespace sealgate
