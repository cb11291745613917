// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/metrics.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace sealgate {
namespace {

TEST(Metrics, CountsEachCounterByItself) {
    Metrics metrics;
    for (int i = 0; i < counter_count; ++i)
        metrics.add(static_cast<Counter>(i), static_cast<std::uint64_t>(i) + 1);
    metrics.add(Counter::sessions_accepted);
    EXPECT_EQ(metrics.value(Counter::sessions_accepted), 2u);
    for (int i = 1; i < counter_count; ++i)
        EXPECT_EQ(metrics.value(static_cast<Counter>(i)), static_cast<std::uint64_t>(i) + 1);
}

TEST(Metrics, NamesEachCounterOnceAsPrometheusWants) {
    std::set<std::string> names;
    for (int i = 0; i < counter_count; ++i) {
        const std::string name = to_name(static_cast<Counter>(i));
        EXPECT_TRUE(names.insert(name).second) << name;
        EXPECT_EQ(name.rfind("sealgate_", 0), 0u) << name;
        EXPECT_TRUE(name.ends_with("_total")) << name;
        EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), name.npos) << name;
    }
    EXPECT_STREQ(to_name(Counter::sessions_accepted), "sealgate_sessions_accepted_total");
    EXPECT_STREQ(to_name(Counter::config_rejected), "sealgate_config_rejected_total");
    EXPECT_STREQ(to_name(Counter::spool_commits), "sealgate_spool_commits_total");
}

TEST(Metrics, PrintsThePrometheusTextForm) {
    Metrics metrics;
    metrics.add(Counter::messages_received, 12);
    metrics.add_smime(SmimeOperation::sign, Reason::ok);
    metrics.add_smime(SmimeOperation::sign, Reason::sender_mismatch);
    metrics.add_smime(SmimeOperation::sign, Reason::sender_mismatch);
    const std::string text = metrics.to_prometheus();
    for (const char* line :
         {"# TYPE sealgate_messages_received_total counter\n",
          "\nsealgate_messages_received_total 12\n", "\nsealgate_messages_refused_total 0\n",
          "\nsealgate_smime_operations_total{operation=\"sign\",reason=\"ok\"} 1\n",
          "\nsealgate_smime_operations_total{operation=\"sign\",reason=\"sender-mismatch\"} 2\n"})
        EXPECT_NE(text.find(line), text.npos) << line;
    EXPECT_EQ(text.back(), '\n');
}

}  // namespace
}  // namespace sealgate
