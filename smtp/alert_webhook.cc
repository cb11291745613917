// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/alert_webhook.h"

#include <nlohmann/json.hpp>

#include "core/mail_log.h"
#include "smtp/alert_report.h"

namespace sealgate {
namespace {

constexpr std::uint64_t timeout_ms = 10'000;
constexpr int attempts_max = 2;

}  // namespace

AlertWebhook::AlertWebhook(Context context)
    : context_(context), retry_timer_(context.loop, [this] { retry(); }) {}

void AlertWebhook::put_in_force(const AlertOptions& options) { url_ = options.webhook; }

void AlertWebhook::send(const Alert& alert) {
    if (url_.empty()) return;
    if (waiting() >= waiting_max) {
        context_.log.error("The webhook is not told of alert {}: {} others wait for it",
                           to_text(alert.name), waiting_max);
        return;
    }
    waiting_.push_back({alert.name, to_json(alert).dump(), 0});
    post_next();
}

void AlertWebhook::post_next() {
    if (is_posting_ || waiting_.empty()) return;
    if (url_.empty()) return waiting_.clear();  // a reload took it away
    is_posting_ = true;
    ++waiting_.front().attempts;
    FetchRequest request;
    request.url = url_;
    request.protocols = FetchRequest::http | FetchRequest::https;
    request.timeout_ms = timeout_ms;
    request.content_type = "application/json";
    request.body = waiting_.front().body;
    posting_ = context_.fetcher.fetch(std::move(request),
                                      [this](const FetchAnswer& answer) { on_answer(answer); });
}

void AlertWebhook::on_answer(const FetchAnswer& answer) {
    is_posting_ = false;
    Post post = std::move(waiting_.front());
    waiting_.pop_front();
    if (answer.outcome != FetchAnswer::Outcome::done) {
        const bool again = post.attempts < attempts_max;
        context_.log.error("The webhook did not take alert {}: {}; it is {}", to_text(post.name),
                           answer.what, again ? "told once more later" : "given up");
        if (again) failed_once_.push_back(std::move(post));
        if (again && !retry_timer_.running()) retry_timer_.start(context_.retry_after_ms);
    }
    post_next();
}

void AlertWebhook::retry() {
    for (Post& post : failed_once_) waiting_.push_back(std::move(post));
    failed_once_.clear();
    post_next();
}

}  // namespace sealgate
