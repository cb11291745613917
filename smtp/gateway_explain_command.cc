// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/gateway_explain_command.h"

#include <list>
#include <nlohmann/json.hpp>

#include "core/loop.h"
#include "smtp/control.h"
#include "smtp/explain_report.h"

namespace sealgate {
namespace {

using nlohmann::json;

// Those that wait for a directory; an operator asks one at a time.
constexpr std::size_t under_way_max = 100;

std::string text_of(const json& request, const char* name) {
    const auto member = request.find(name);
    return member != request.end() && member->is_string() ? member->get<std::string>() : "";
}

std::vector<std::string> texts_of(const json& request, const char* name) {
    std::vector<std::string> texts;
    const auto member = request.find(name);
    if (member == request.end() || !member->is_array()) return texts;
    for (const json& text : *member)
        texts.push_back(text.is_string() ? text.get<std::string>() : std::string());
    return texts;
}

json refusal(const std::string& what, const char* reason) {
    return {{"ok", false}, {"error", what}, {"reason", reason}};
}

}  // namespace

struct ExplainCommand::State : std::enable_shared_from_this<ExplainCommand::State> {
    State(Loop& house_loop, KeySources key_sources, std::function<GatewayStatePtr()> in_force)
        : loop(house_loop), sources(key_sources), state(std::move(in_force)) {}

    void handle(const json& request, Answer answer);
    json report(Explainer& explainer) const {
        const Explanation explanation = explainer.take();
        return to_json(explanation, explainer, sources.ring, loop.wall_seconds());
    }

    Loop& loop;
    KeySources sources;
    std::function<GatewayStatePtr()> state;
    std::list<std::unique_ptr<Explainer>> under_way;
};

void ExplainCommand::State::handle(const json& request, Answer answer) {
    const GatewayStatePtr in_force = state();
    const auto flag = request.find("incoming");
    const bool incoming = flag != request.end() && flag->is_boolean() && flag->get<bool>();
    const std::string ip = text_of(request, "ip");
    const auto peer = IpAddress::parse(ip.empty() ? "127.0.0.1" : ip);
    if (!peer) return answer(refusal(ip + " is not an IP address", "malformed"));
    std::string listener = text_of(request, "listener");
    if (listener.empty() && !in_force->config->listeners.empty())
        listener = in_force->config->listeners.front().name;
    MessageOrigin origin{incoming ? Direction::incoming : Direction::outgoing, *peer, listener,
                         text_of(request, "sender_group")};
    const ExplainWords words{text_of(request, "from"), texts_of(request, "to"),
                             texts_of(request, "bcc"), text_of(request, "subject"),
                             texts_of(request, "headers")};
    std::string why;
    auto question = make_question(words, std::move(origin), &why);
    if (!question) return answer(refusal(why, "malformed"));
    if (under_way.size() >= under_way_max)
        return answer(refusal("too many questions wait for a directory", "limit"));
    const auto place = under_way.insert(
        under_way.end(),
        std::make_unique<Explainer>(sources, in_force, *std::move(question), loop.wall_seconds()));
    const bool known = (*place)->start([this, place, answer] {
        const auto alive = shared_from_this();  // `answer` may be the last that is asked of us
        const std::unique_ptr<Explainer> explainer = std::move(*place);
        under_way.erase(place);
        answer(report(*explainer));
    });
    if (!known) return;
    const std::unique_ptr<Explainer> explainer = std::move(*place);
    under_way.erase(place);
    answer(report(*explainer));
}

ExplainCommand::ExplainCommand(Loop& loop, KeySources sources,
                               std::function<GatewayStatePtr()> state)
    : state_(std::make_shared<State>(loop, sources, std::move(state))) {}

ExplainCommand::~ExplainCommand() { state_->under_way.clear(); }

void ExplainCommand::handle(const json& request, Answer answer) {
    state_->handle(request, std::move(answer));
}

void add_explain_command(ControlServer& control, Loop& loop, KeySources sources,
                         std::function<GatewayStatePtr()> state) {
    const auto command = std::make_shared<ExplainCommand>(loop, sources, std::move(state));
    control.on("explain", [command](const json& request, const ControlServer::Answer& answer) {
        command->handle(request, answer);
    });
}

}  // namespace sealgate
