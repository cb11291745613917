// SPDX-License-Identifier: GPL-3.0-or-later
// The vocabulary of the filter language (spec/policy.md).
#include "core/filter_ast.h"

namespace sealgate {
namespace {

constexpr const char* the_body = "looking into bodies";
constexpr const char* tls_feature = "TLS";
constexpr const char* more_actions = "this action";

}  // namespace

const std::vector<RuleRow>& filter_rules() {
    // clang-format off
    static const std::vector<RuleRow> rows = {
        {"subject",                RuleId::subject,       RuleForm::text,    nullptr},
        {"mail-from",              RuleId::mail_from,     RuleForm::text,    nullptr},
        {"rcpt-to",                RuleId::rcpt_to,       RuleForm::text,    nullptr},
        {"header",                 RuleId::header,        RuleForm::header,  nullptr},
        {"remote-ip",              RuleId::remote_ip,     RuleForm::address, nullptr},
        {"recv-listener",          RuleId::recv_listener, RuleForm::text,    nullptr},
        {"sendergroup",            RuleId::sendergroup,   RuleForm::text,    nullptr},
        {"rcpt-count",             RuleId::rcpt_count,    RuleForm::number,  nullptr},
        {"true",                   RuleId::true_,         RuleForm::flag,    nullptr},
        {"smime-gateway-message",  RuleId::smime_gateway_message,  RuleForm::flag, nullptr},
        {"smime-gateway-verified", RuleId::smime_gateway_verified, RuleForm::flag, nullptr},
        {"signed",                 RuleId::is_signed,     RuleForm::flag,    nullptr},
        {"encrypted",              RuleId::is_encrypted,  RuleForm::flag,    nullptr},
        {"body-contains",          RuleId::later,         RuleForm::call,    the_body},
        {"only-body-contains",     RuleId::later,         RuleForm::call,    the_body},
        {"attachment-filename",    RuleId::later,         RuleForm::text,    the_body},
        {"body-size",              RuleId::later,         RuleForm::number,  the_body},
        {"valid",                  RuleId::later,         RuleForm::flag,    the_body},
        {"tls",                    RuleId::later,         RuleForm::flag,    tls_feature},
    };
    // clang-format on
    return rows;
}

const std::vector<ActionRow>& filter_actions() {
    // clang-format off
    static const std::vector<ActionRow> rows = {
        // name                     id                                arguments  final
        {"smime-gateway",          ActionId::smime_gateway,          1, 1,      true,  nullptr},
        {"drop",                   ActionId::later,                  0, 0,      true,  more_actions},
        {"bounce",                 ActionId::later,                  0, 0,      true,  more_actions},
        {"deliver",                ActionId::later,                  0, 0,      true,  more_actions},
        {"skip-filters",           ActionId::later,                  0, 0,      true,  more_actions},
        {"smime-gateway-deferred", ActionId::smime_gateway_deferred, 1, 1,      false, nullptr},
        {"quarantine",             ActionId::later,                  1, 1,      false, more_actions},
        {"duplicate-quarantine",   ActionId::later,                  1, 1,      false, more_actions},
        {"insert-header",          ActionId::later,                  2, 2,      false, more_actions},
        {"strip-header",           ActionId::later,                  1, 1,      false, more_actions},
        {"edit-header-text",       ActionId::later,                  3, 3,      false, more_actions},
        {"notify",                 ActionId::later,                  1, 2,      false, more_actions},
        {"bcc",                    ActionId::later,                  1, 1,      false, more_actions},
        {"alt-mailhost",           ActionId::later,                  1, 1,      false, more_actions},
        {"bounce-profile",         ActionId::later,                  1, 1,      false, more_actions},
        {"log-entry",              ActionId::later,                  1, 1,      false, more_actions},
        {"archive",                ActionId::later,                  1, 1,      false, more_actions},
    };
    // clang-format on
    return rows;
}

}  // namespace sealgate
