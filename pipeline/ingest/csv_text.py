"""Bytes of a CSV file as UTF-8 with plain line ends: encodings, byte-order marks, damage."""

from __future__ import annotations

import codecs

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_LOOKED_AT = 400
NOT_UTF8 = "text is not UTF-8"
HAS_NUL = "holds bytes that are no text"


def decode(content: bytes) -> tuple[bytes, dict[int, str]]:
    """The content as UTF-8 without marks, lines ended by a line feed alone; and by row below the
    header what had to be mended: Windows-1252 read line by line, bytes that are no text replaced.
    """
    content = _utf8(content)
    while content.startswith(codecs.BOM_UTF8):
        content = content.removeprefix(codecs.BOM_UTF8)
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        content.decode("utf-8")
        if b"\x00" not in content:
            return content, {}
    except UnicodeDecodeError:
        pass
    return _mended(content)


def _utf8(content: bytes) -> bytes:
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "")
    encoding = encoding or _unmarked(content[:_LOOKED_AT])
    return content.decode(encoding, errors="replace").encode() if encoding else content


def _unmarked(start: bytes) -> str:
    """UTF-16 or UTF-32 without a mark: a table's header then has zeros in fixed places."""
    if len(start) < 8 or start.count(0) < 0.4 * len(start):
        return ""
    zeros = [start[place::4].count(0) * 4 / len(start) for place in range(4)]
    wide = sum(share > 0.9 for share in zeros)
    if wide == 3:
        return "utf-32-le" if zeros[0] < 0.1 else "utf-32-be"
    if wide == 2:
        return "utf-16-le" if zeros[1] > 0.9 else "utf-16-be"
    return ""


def _mended(content: bytes) -> tuple[bytes, dict[int, str]]:
    lines, recoded, header_seen = [], {}, 0
    for line in content.split(b"\n"):
        text, rule = _line(line)
        lines.append(text)
        if header_seen and rule:
            recoded[len(lines) - header_seen] = rule
        if not header_seen and line.strip() and not line.lower().startswith((b"sep=", b'"sep=')):
            header_seen = len(lines)
    return "\n".join(lines).encode(), recoded


def _line(line: bytes) -> tuple[str, str]:
    try:
        text, rule = line.decode("utf-8"), ""
    except UnicodeDecodeError:
        text, rule = line.decode("cp1252", errors="replace"), NOT_UTF8
    if "\x00" in text:
        text, rule = text.replace("\x00", "\ufffd"), HAS_NUL
    return text, rule
