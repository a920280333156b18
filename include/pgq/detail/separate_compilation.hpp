#pragma once

/// The library is header-only unless all files of a program are compiled with PGQ_SEPARATE_COMPILATION. Then headers
/// only declare most of what does not depend on the user's types, and one file of the program includes <pgq/src.hpp>,
/// which defines it.
///
/// PGQ_DECL stands before such a definition. Definitions are in files with the ending .ipp: the header that declares
/// them includes its .ipp in a header-only program, and <pgq/src.hpp> includes all of them.

#ifdef PGQ_SEPARATE_COMPILATION
#define PGQ_DECL
#else
#define PGQ_DECL inline
#endif

// A program whose files are compiled in both ways does not link: each header-only file defines this symbol, in a group
// of which the linker keeps one, and so does <pgq/src.hpp>, outside of that group.
#ifdef __ELF__
#define PGQ_DETAIL_MIXED(section)                                     \
    __asm__(".pushsection " section                                   \
            "\n"                                                      \
            ".globl pgq_header_only_and_separate_files_are_mixed\n"   \
            "pgq_header_only_and_separate_files_are_mixed: .byte 0\n" \
            ".popsection")
#ifndef PGQ_SEPARATE_COMPILATION
PGQ_DETAIL_MIXED(".rodata.pgq_mode,\"aG\",%progbits,pgq_header_only,comdat");
#endif
#endif
