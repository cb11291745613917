// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/bdat_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sealgate {
namespace {

struct Case {
    const char* name;
    std::vector<std::string> chunks;
    bool bare;
    bool lacks_line_end;
};

class BdatReaderRows : public testing::TestWithParam<Case> {};

TEST_P(BdatReaderRows, AreJudgedTheSameHoweverTheyAreCut) {
    const auto& [name, chunks, bare, lacks_line_end] = GetParam();
    for (std::size_t piece_bytes = 1; piece_bytes <= 8; ++piece_bytes) {
        SCOPED_TRACE(piece_bytes);
        BdatReader reader;
        for (std::size_t i = 0; i < chunks.size(); ++i) {
            reader.begin_chunk(chunks[i].size(), i + 1 == chunks.size());
            // What follows the chunk is not the chunk's.
            const std::string with_more = chunks[i] + "QUIT\n";
            std::size_t at = 0;
            while (!reader.chunk_complete()) {
                const std::string piece = with_more.substr(at, piece_bytes);
                const std::size_t taken = reader.next(as_bytes(piece));
                ASSERT_GT(taken, 0u);
                at += taken;
            }
            EXPECT_EQ(at, chunks[i].size());
            EXPECT_EQ(reader.next(as_bytes("QUIT\n")), 0u);
        }
        EXPECT_EQ(reader.has_bare_line_end(), bare) << name;
        EXPECT_EQ(reader.lacks_final_line_end(), lacks_line_end) << name;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Chunks, BdatReaderRows,
    testing::Values(Case{"Empty", {""}, false, false}, Case{"Line", {"a\r\n"}, false, false},
                    Case{"CutLineEnd", {"a\r", "\nb\r\n"}, false, false},
                    Case{"NoLineEnd", {"a\r\nb"}, false, true},
                    Case{"DotLines", {".\r\n..\r\n"}, false, false},
                    Case{"EmptyLast", {"a", ""}, false, true},
                    Case{"Lf", {"a\nb\r\n"}, true, false}, Case{"LfFirst", {"\n"}, true, true},
                    Case{"Cr", {"a\rb\r\n"}, true, false}, Case{"CrCrLf", {"a\r\r\n"}, true, false},
                    Case{"CrAtTheEnd", {"a\r"}, true, true},
                    Case{"CutBareCr", {"a\r", "b\r\n"}, true, false},
                    Case{"CutBareLf", {"a", "\nb\r\n"}, true, false}));

}  // namespace
}  // namespace sealgate
