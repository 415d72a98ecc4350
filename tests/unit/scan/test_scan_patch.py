"""Patches are read as git means them: lines of the file, names with every sign, merges, binary files."""

from __future__ import annotations

from agentguard.scan.patch import Added, files_of


def only(patch: bytes) -> Added:
    (added,) = files_of(patch)
    return added


HEADER = b"diff --git a/f b/f\nindex " + b"1" * 40 + b".." + b"2" * 40 + b" 100644\n--- a/f\n+++ b/f\n"


def test_added_lines_keep_their_numbers_in_the_file() -> None:
    added = only(HEADER + b"@@ -3,0 +4,2 @@ def f():\n+four\n+five\n@@ -9 +12 @@\n-old\n+twelve\n")
    assert added.text == b"four\nfive\ntwelve\n"
    assert [added.line_in_file(line) for line in (1, 2, 3)] == [4, 5, 12]


def test_content_that_looks_like_a_header_is_content() -> None:
    added = only(HEADER + b"@@ -0,0 +1,3 @@\n+++ b/other\n+@@ -1 +1 @@\n+diff --git a/x b/x\n")
    assert added.path == b"f"
    assert added.text == b"++ b/other\n@@ -1 +1 @@\ndiff --git a/x b/x\n"


def test_a_last_line_without_an_end() -> None:
    patch = b"@@ -1 +1 @@\n-old\n\\ No newline at end of file\n+new\n\\ No newline at end of file\n"
    assert only(HEADER + patch).text == b"new\n"


def test_only_deleted_lines_are_nothing() -> None:
    assert list(files_of(HEADER + b"@@ -1,2 +0,0 @@\n-a\n-b\n")) == []


def test_names_with_signs() -> None:
    quoted = HEADER.replace(b"+++ b/f", b'+++ "b/a\\tb\\"\\303\\274"')
    assert only(quoted + b"@@ -0,0 +1 @@\n+x\n").path == b'a\tb"\xc3\xbc'
    spaced = HEADER.replace(b"+++ b/f", b"+++ b/a b\t")
    assert only(spaced + b"@@ -0,0 +1 @@\n+x\n").path == b"a b"


def test_a_binary_file_is_named_with_its_blob() -> None:
    index = b"index " + b"0" * 40 + b".." + b"3" * 40
    new = b"diff --git a/a and b/x b/a and b/x\nnew file mode 100644\n" + index
    added = only(new + b"\nBinary files /dev/null and b/a and b/x differ\n")
    assert added == Added(b"a and b/x", b"", blob=b"3" * 40)
    changed = b"diff --git a/p and b/q b/p and b/q\n" + index + b" 100644\n"
    assert only(changed + b"Binary files a/p and b/q and b/p and b/q differ\n").path == b"p and b/q"


def test_of_a_merge_only_what_no_parent_has() -> None:
    patch = (
        b"diff --cc f\nindex " + b"1" * 40 + b"," + b"2" * 40 + b".." + b"3" * 40 + b"\n--- a/f\n+++ b/f\n"
        b"@@@ -1,2 -1,2 +1,4 @@@\n  both\n- ours\n -theirs\n++evil\n+ from ours\n++last\n"
    )
    added = only(patch)
    assert added.text == b"evil\nlast\n"
    assert [added.line_in_file(line) for line in (1, 2)] == [2, 4]


def test_a_binary_file_of_a_merge() -> None:
    index = b"index " + b"1" * 40 + b"," + b"2" * 40 + b".." + b"3" * 40
    added = only(b"diff --cc a b.bin\n" + index + b"\nBinary files differ\n")
    assert added == Added(b"a b.bin", b"", blob=b"3" * 40)


def test_what_is_no_diff_adds_nothing() -> None:
    assert list(files_of(b"")) == list(files_of(b"some words\nand more\n")) == []
