// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/filter_parser.h"

#include <algorithm>

#include "core/filter_lexer.h"
#include "core/limits.h"

namespace sealgate {
namespace {

struct Fault {
    std::size_t at;
    std::string what;
};

template <typename Row>
const Row* find_row(const std::vector<Row>& rows, std::string_view name) {
    const auto row =
        std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return name == r.name; });
    return row == rows.end() ? nullptr : &*row;
}

template <typename Row>
std::string unknown(const char* kind, std::string_view name, const std::vector<Row>& rows) {
    std::vector<std::string> names;
    for (const Row& row : rows) names.emplace_back(row.name);
    std::string what = std::string("unknown ") + kind + " " + in_quotes(name);
    const std::string near = nearest_name(std::string(name), names);
    return near.empty() ? what : what + " (nearest known: " + near + ")";
}

// Recursive descent. The first fault ends it: every take_… gives false from then on.
class Parser {
public:
    explicit Parser(std::string_view text) : lexer_(text) { advance(); }

    bool take_expression(FilterExpression& into) { return take_or(into); }
    bool take_action_list(std::vector<FilterAction>& into, bool in_braces);
    bool take_filter(MessageFilter& into);
    bool expect_end();

    bool at_end() const { return token_.kind == FilterToken::Kind::end; }
    const std::optional<Fault>& fault() const { return fault_; }
    // Behind a fault: on to the `}` that ends this filter, so that the next one is read, too.
    void skip_filter();

private:
    void advance();
    bool fail(std::size_t at, std::string what);
    bool expect(std::string_view punctuation);
    bool take_or(FilterExpression& into);
    bool take_and(FilterExpression& into);
    bool take_unary(FilterExpression& into);
    bool take_rule(FilterExpression& into);
    bool take_arguments(const RuleRow& row, FilterExpression& into);
    bool take_comparison(FilterExpression& into);
    bool take_operand(FilterExpression& into);
    bool take_action(FilterAction& into);
    void join(FilterExpression::Kind kind, FilterExpression& left, FilterExpression right);

    FilterLexer lexer_;
    FilterToken token_;
    std::optional<Fault> fault_;
    int depth_ = 0;
};

void Parser::advance() {
    Result<FilterToken> next = lexer_.next();
    if (next) {
        token_ = *std::move(next);
        return;
    }
    fail(static_cast<std::size_t>(next.error().at), next.error().what);
    token_ = FilterToken{};
    token_.at = static_cast<std::size_t>(next.error().at);
}

bool Parser::fail(std::size_t at, std::string what) {
    if (!fault_) fault_ = Fault{at, std::move(what)};
    return false;
}

bool Parser::expect(std::string_view punctuation) {
    if (fault_) return false;
    if (!token_.is(punctuation))
        return fail(token_.at, "expected '" + std::string(punctuation) + "'");
    advance();
    return !fault_;
}

bool Parser::expect_end() {
    if (fault_) return false;
    return at_end() || fail(token_.at, "nothing may follow here");
}

void Parser::join(FilterExpression::Kind kind, FilterExpression& left, FilterExpression right) {
    FilterExpression whole;
    whole.kind = kind;
    whole.operands.push_back(std::move(left));
    whole.operands.push_back(std::move(right));
    left = std::move(whole);
}

bool Parser::take_or(FilterExpression& into) {
    if (!take_and(into)) return false;
    while (token_.is("or")) {
        advance();
        FilterExpression right;
        if (!take_and(right)) return false;
        if (into.kind == FilterExpression::Kind::or_) {
            into.operands.push_back(std::move(right));
        } else {
            join(FilterExpression::Kind::or_, into, std::move(right));
        }
    }
    return !fault_;
}

bool Parser::take_and(FilterExpression& into) {
    if (!take_unary(into)) return false;
    while (token_.is("and")) {
        advance();
        FilterExpression right;
        if (!take_unary(right)) return false;
        if (into.kind == FilterExpression::Kind::and_) {
            into.operands.push_back(std::move(right));
        } else {
            join(FilterExpression::Kind::and_, into, std::move(right));
        }
    }
    return !fault_;
}

bool Parser::take_unary(FilterExpression& into) {
    if (fault_) return false;
    const bool negated = token_.is("not");
    if (!negated && !token_.is("(")) return take_rule(into);
    if (++depth_ > limits::filter_depth_max) return fail(token_.at, "nested too deeply");
    advance();
    if (negated) {
        into.kind = FilterExpression::Kind::not_;
        into.operands.emplace_back();
        if (!take_unary(into.operands[0])) return false;
    } else if (!take_or(into) || !expect(")")) {
        return false;
    }
    --depth_;
    return !fault_;
}

bool Parser::take_rule(FilterExpression& into) {
    if (token_.kind != FilterToken::Kind::word) return fail(token_.at, "expected a rule");
    const RuleRow* row = find_row(filter_rules(), token_.source);
    if (!row) return fail(token_.at, unknown("rule", token_.source, filter_rules()));
    if (row->needs)
        return fail(token_.at, std::string(row->name) + " needs " + row->needs +
                                   ", which this version does not have");
    into.kind = FilterExpression::Kind::rule;
    into.rule = row;
    into.at = token_.at;
    advance();
    return take_arguments(*row, into) && take_comparison(into);
}

bool Parser::take_arguments(const RuleRow& row, FilterExpression& into) {
    if (row.form != RuleForm::header) return !fault_;
    if (!expect("(")) return false;
    if (token_.kind != FilterToken::Kind::text || token_.text.empty())
        return fail(token_.at, "expected the name of a header field in quotes");
    into.name = token_.text;
    advance();
    return expect(")");
}

bool Parser::take_comparison(FilterExpression& into) {
    static constexpr struct {
        const char* written;
        Comparison comparison;
    } comparisons[] = {{"==", Comparison::equal},   {"!=", Comparison::unequal},
                       {"<=", Comparison::at_most}, {">=", Comparison::at_least},
                       {"<", Comparison::less},     {">", Comparison::greater}};
    if (fault_) return false;
    for (const auto& [written, comparison] : comparisons) {
        if (!token_.is(written)) continue;
        into.comparison = comparison;
        const std::size_t at = token_.at;
        const bool ordered = comparison > Comparison::unequal;
        if (into.rule->form == RuleForm::flag)
            return fail(at, std::string(into.rule->name) + " is compared with nothing");
        if (ordered && into.rule->form != RuleForm::number)
            return fail(at, std::string(into.rule->name) + " is compared with == or !=");
        advance();
        return take_operand(into);
    }
    if (into.rule->form == RuleForm::flag || into.rule->form == RuleForm::header) return true;
    return fail(token_.at, std::string(into.rule->name) + " wants == and a value");
}

bool Parser::take_operand(FilterExpression& into) {
    if (fault_) return false;
    const bool wants_number = into.rule->form == RuleForm::number;
    const auto wanted = wants_number ? FilterToken::Kind::number : FilterToken::Kind::text;
    if (token_.kind != wanted)
        return fail(token_.at, wants_number ? "expected a number" : "expected a text in quotes");
    into.text = token_.text;
    into.number = token_.number;
    into.text_at = token_.at;
    if (into.rule->form == RuleForm::address) {
        Result<HostPattern> network = HostPattern::parse(into.text);
        if (!network)
            return fail(token_.at, "not an IP address or network: " + in_quotes(into.text));
        into.network = *std::move(network);
    }
    advance();
    return !fault_;
}

bool Parser::take_action(FilterAction& into) {
    if (fault_) return false;
    if (token_.kind != FilterToken::Kind::word) return fail(token_.at, "expected an action");
    into.row = find_row(filter_actions(), token_.source);
    into.at = token_.at;
    if (!into.row) return fail(token_.at, unknown("action", token_.source, filter_actions()));
    if (into.row->needs)
        return fail(token_.at,
                    std::string(into.row->name) + " is an action this version does not have");
    advance();
    if (!expect("(")) return false;
    while (!token_.is(")")) {
        if (!into.arguments.empty() && !expect(",")) return false;
        if (token_.kind != FilterToken::Kind::text)
            return fail(token_.at, "expected a text in quotes");
        into.argument_at.push_back(token_.at);
        into.arguments.push_back(token_.text);
        advance();
        if (fault_) return false;
    }
    const std::size_t count = into.arguments.size();
    if (count < into.row->arguments_min || count > into.row->arguments_max)
        return fail(into.at, std::string(into.row->name) + " takes " +
                                 std::to_string(into.row->arguments_min) +
                                 (into.row->arguments_min == 1 ? " argument" : " arguments"));
    return expect(")");
}

bool Parser::take_action_list(std::vector<FilterAction>& into, bool in_braces) {
    for (;;) {
        while (token_.is(";")) advance();
        if (fault_) return false;
        if (in_braces ? token_.is("}") : at_end()) return true;
        if (!take_action(into.emplace_back())) return false;
        // The last semicolon may be left out.
        if (token_.is(";") || (in_braces ? token_.is("}") : at_end())) continue;
        return fail(token_.at, "expected ';'");
    }
}

bool Parser::take_filter(MessageFilter& into) {
    if (fault_) return false;
    if (token_.kind != FilterToken::Kind::word) return fail(token_.at, "expected a filter's name");
    into.name = std::string(token_.source);
    into.at = token_.at;
    advance();
    if (!expect(":") || !expect("if") || !expect("(")) return false;
    if (!take_or(into.condition) || !expect(")") || !expect("{")) return false;
    if (!take_action_list(into.actions, true) || !expect("}")) return false;
    if (!token_.is("else")) return !fault_;
    advance();
    return expect("{") && take_action_list(into.otherwise, true) && expect("}");
}

void Parser::skip_filter() {
    // A broken text cannot be stepped over: the rest of the file is not read then.
    fault_.reset();
    depth_ = 0;
    bool closed = false;
    while (!at_end() && !fault_) {
        const bool close = token_.is("}");
        if (closed && !close && !token_.is("else") && !token_.is("{")) break;
        closed = close;
        advance();
        if (closed && token_.is("else")) closed = false;
    }
    if (fault_) token_ = FilterToken{};
    fault_.reset();
}

}  // namespace

Complaint FilterSource::complain(std::size_t offset, std::string what) const {
    Complaint complaint;
    complaint.what = std::move(what);
    offset = std::min(offset, text.size());
    place(offset, complaint);
    const std::size_t line_feed = offset == 0 ? std::string::npos : text.rfind('\n', offset - 1);
    const std::size_t begin = line_feed == std::string::npos ? 0 : line_feed + 1;
    const std::size_t end = std::min(text.find('\n', offset), text.size());
    // A long line is shown around the fault.
    const std::size_t from = std::max(begin, offset > 60 ? offset - 60 : 0);
    const std::string shown = text.substr(from, std::min<std::size_t>(end - from, 100));
    complaint.what += "\n    " + shown + "\n    " + std::string(offset - from, ' ') + "^";
    return complaint;
}

FilterSource FilterSource::of_file(std::string text, std::string file) {
    FilterSource source;
    source.place = [text, file = std::move(file)](std::size_t offset, Complaint& complaint) {
        const auto end = text.begin() + static_cast<std::ptrdiff_t>(offset);
        complaint.file = file;
        complaint.line = 1 + static_cast<int>(std::count(text.begin(), end, '\n'));
        const std::size_t line_feed =
            offset == 0 ? std::string::npos : text.rfind('\n', offset - 1);
        const std::size_t begin = line_feed == std::string::npos ? 0 : line_feed + 1;
        complaint.column = static_cast<int>(offset - begin) + 1;
    };
    source.text = std::move(text);
    return source;
}

std::optional<FilterExpression> parse_condition(const FilterSource& source,
                                                Complaints& complaints) {
    Parser parser(source.text);
    FilterExpression expression;
    if (parser.take_expression(expression) && parser.expect_end()) return expression;
    complaints.push_back(source.complain(parser.fault()->at, parser.fault()->what));
    return std::nullopt;
}

std::optional<std::vector<FilterAction>> parse_actions(const FilterSource& source,
                                                       Complaints& complaints) {
    Parser parser(source.text);
    std::vector<FilterAction> actions;
    if (parser.take_action_list(actions, false)) return actions;
    complaints.push_back(source.complain(parser.fault()->at, parser.fault()->what));
    return std::nullopt;
}

std::optional<std::vector<MessageFilter>> parse_filters(const FilterSource& source,
                                                        Complaints& complaints) {
    const std::size_t complaints_before = complaints.size();
    if (source.text.size() > limits::filter_bytes_max) {
        complaints.push_back(source.complain(0, "the file is larger than 1 MB"));
        return std::nullopt;
    }
    Parser parser(source.text);
    std::vector<MessageFilter> filters;
    while (!parser.at_end() || parser.fault()) {
        if (parser.take_filter(filters.emplace_back())) continue;
        complaints.push_back(source.complain(parser.fault()->at, parser.fault()->what));
        parser.skip_filter();
    }
    if (complaints.size() > complaints_before) return std::nullopt;
    return filters;
}

}  // namespace sealgate
