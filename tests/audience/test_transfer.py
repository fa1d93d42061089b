from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from distributor.audience import files, lists, subscribers, transfer
from distributor.audience.errors import InvalidSubscriber, UnknownList, UnreadableFile
from distributor.audience.files import Format, Rejected, Row
from distributor.audience.transfer import Imported
from distributor.ledger.database import Ledger


@pytest.fixture(autouse=True)
def _a_list(ledger: Ledger) -> None:
    with ledger.write() as c:
        lists.create(c, "daily")


def bring_in(
    ledger: Ledger, content: str | bytes, format_: Format = Format.CSV, **options: object
) -> Imported:
    raw = content.encode() if isinstance(content, str) else content
    options = {"list_names": ["daily"], "default_channel": "email", **options}
    return transfer.import_file(ledger, io.BytesIO(raw), format_, **options)  # type: ignore[arg-type]


def members(ledger: Ledger) -> int:
    with ledger.read() as c:
        return sum(lists.overview(c)[0].members.values())


def taken_out(ledger: Ledger, format_: Format, name: str | None = "daily") -> str:
    with ledger.read() as c:
        return "".join(transfer.export(c, format_, name))


class TestImportingCsv:
    def test_known_columns_become_fields_and_all_others_attributes(self, ledger: Ledger) -> None:
        result = bring_in(
            ledger,
            "channel,address,name,language,city\n"
            "email,ann@example.com,Ann,en,Oslo\n"
            "telegram,@daily_news,,,\n",
        )
        assert result == Imported(2, 0, 0, 2, 0, ())
        with ledger.read() as c:
            ann = subscribers.show(c, "ann@example.com")
        assert (ann.name, ann.language, dict(ann.attributes)) == ("Ann", "en", {"city": "Oslo"})

    @pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
    def test_a_byte_order_mark_makes_no_difference(self, ledger: Ledger, mark: bytes) -> None:
        assert bring_in(ledger, mark + "address,name\na@example.com,王\n".encode()).added == 1

    def test_rows_that_are_refused_are_named_with_line_and_reason(self, ledger: Ledger) -> None:
        result = bring_in(
            ledger,
            'address,name\na@example.com,"two\nlines"\n\nnobody,B\nc@example.com\nd@example.com,D\n',
        )
        assert result.added == 1
        assert [one.line for one in result.rejected] == [2, 5, 6]
        line_break, no_address, short = (one.reason for one in result.rejected)
        assert "line break" in line_break
        assert "not an email address" in no_address
        assert "1 cells where the first line names 2" in short

    def test_bytes_that_are_not_utf8_spoil_their_row_only(self, ledger: Ledger) -> None:
        result = bring_in(ledger, b"address,name\na@example.com,\xff\xfe\nb@example.com,B\n")
        assert result.added == 1
        assert [one.line for one in result.rejected] == [2]
        assert "not UTF-8" in result.rejected[0].reason

    def test_a_quote_that_never_ends_is_reported(self, ledger: Ledger) -> None:
        result = bring_in(ledger, 'address,name\na@example.com,A\nb@example.com,"B\n')
        assert result.added == 1
        assert [one.line for one in result.rejected] == [3]

    def test_a_row_that_repeats_another_counts_once_and_the_first_one_stands(
        self, ledger: Ledger
    ) -> None:
        result = bring_in(ledger, "address,name\na@example.com,first\na@EXAMPLE.com,second\n")
        assert (result.added, result.existing, result.repeated) == (1, 0, 1)
        with ledger.read() as c:
            assert subscribers.show(c, "a@example.com").name == "first"

    def test_running_it_again_adds_nobody(self, ledger: Ledger) -> None:
        content = "address\na@example.com\nb@example.com\n"
        bring_in(ledger, content)
        assert bring_in(ledger, content) == Imported(0, 2, 0, 0, 0, ())

    def test_who_left_is_counted_and_not_brought_back(self, ledger: Ledger) -> None:
        bring_in(ledger, "address\na@example.com\n")
        with ledger.write() as c:
            subscribers.remove(c, "email", "a@example.com")
        result = bring_in(ledger, "address\na@example.com\n")
        assert (result.joined, result.left_before, members(ledger)) == (0, 1, 0)
        assert bring_in(ledger, "address\na@example.com\n", resubscribe=True).joined == 1

    def test_more_rows_than_one_chunk_are_all_taken(self, ledger: Ledger) -> None:
        rows = "".join(f"r{number}@example.com\n" for number in range(2 * transfer.CHUNK + 7))
        assert bring_in(ledger, "address\n" + rows).added == 2 * transfer.CHUNK + 7
        assert members(ledger) == 2 * transfer.CHUNK + 7

    def test_without_a_channel_a_row_is_refused(self, ledger: Ledger) -> None:
        result = bring_in(ledger, "address\na@example.com\n", default_channel="")
        assert result.rejected == (
            Rejected(2, "names no channel; fill the column, or name one with --channel"),
        )

    @pytest.mark.parametrize(
        ("header", "words"),
        [
            ("", "with at least: address"),
            ("a@example.com", "with at least: address"),
            ("address,city,city", "the column 'city' twice"),
        ],
    )
    def test_a_first_line_that_does_not_name_the_columns_stops_it(
        self, ledger: Ledger, header: str, words: str
    ) -> None:
        with pytest.raises(UnreadableFile, match=words):
            bring_in(ledger, header + "\nb@example.com,x,y\n")

    def test_an_unknown_list_or_channel_stops_it_before_anything_is_written(
        self, ledger: Ledger
    ) -> None:
        with pytest.raises(UnknownList):
            bring_in(ledger, "address\na@example.com\n", list_names=["daily", "nope"])
        with pytest.raises(InvalidSubscriber):
            bring_in(ledger, "address\na@example.com\n", default_channel="pigeon")
        assert taken_out(ledger, Format.JSONL, None) == ""


class TestImportingJsonLines:
    def test_other_keys_and_the_attributes_object_become_attributes(self, ledger: Ledger) -> None:
        row = {"address": "a@example.com", "name": "Ann", "age": 41, "vip": True}
        row["attributes"] = {"city": "Oslo", "none": None}
        assert bring_in(ledger, json.dumps(row), Format.JSONL).added == 1
        with ledger.read() as c:
            shown = subscribers.show(c, "a@example.com")
        assert dict(shown.attributes) == {"age": "41", "vip": "true", "city": "Oslo"}

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            ("{", "not a line of JSON"),
            ("[]", "not a JSON object"),
            ('{"address": "a@example.com", "tags": ["x"]}', "'tags' holds a list"),
            ('{"address": "a@example.com", "attributes": 1}', "attributes is not a JSON object"),
            ("[" * 100_000, "not a line of JSON"),
        ],
    )
    def test_lines_that_are_refused_do_not_stop_the_others(
        self, ledger: Ledger, line: str, words: str
    ) -> None:
        content = f'{line}\n{{"address": "b@example.com"}}\n'
        result = bring_in(ledger, content, Format.JSONL)
        assert result.added == 1
        assert result.rejected[0].line == 1
        assert words in result.rejected[0].reason


class TestExporting:
    def test_a_list_is_exported_as_those_who_are_on_it_now(self, ledger: Ledger) -> None:
        bring_in(ledger, "address\na@example.com\nb@example.com\n")
        with ledger.write() as c:
            subscribers.remove(c, "email", "b@example.com")
            subscribers.ensure(c, "email", "test@example.com")
        assert taken_out(ledger, Format.CSV) == (
            "channel,address,name,language,account,variant\r\nemail,a@example.com,,,,\r\n"
        )

    def test_without_a_list_everybody_is_exported(self, ledger: Ledger) -> None:
        bring_in(ledger, "address,city\na@example.com,Oslo\nb@example.com,\n", list_names=[])
        assert taken_out(ledger, Format.CSV, None) == (
            "channel,address,name,language,account,variant,city\r\n"
            "email,a@example.com,,,,,Oslo\r\n"
            "email,b@example.com,,,,,\r\n"
        )

    def test_an_unknown_list_is_refused_before_the_first_line(self, ledger: Ledger) -> None:
        with ledger.read() as c, pytest.raises(UnknownList):
            transfer.export(c, Format.CSV, "nope")

    @pytest.mark.parametrize("format_", list(Format))
    def test_what_is_exported_can_be_imported_elsewhere(
        self, ledger: Ledger, format_: Format
    ) -> None:
        bring_in(
            ledger,
            "channel,address,name,city\ntelegram,@daily_news,+1,'=x\nemail,=cmd@example.com,王,\n",
        )
        exported = taken_out(ledger, format_)
        with ledger.write() as c:
            lists.create(c, "second")
        assert bring_in(ledger, exported, format_, list_names=["second"]).joined == 2
        assert taken_out(ledger, format_, "second") == exported


ROWS = st.builds(
    Row,
    line=st.just(2),
    channel=st.just("email"),
    address=st.text(min_size=1, alphabet=st.characters(codec="utf-8")).filter(str.strip),
    name=st.text(alphabet=st.sampled_from("=+-@'＝\t a王\",\n")),
    language=st.just(""),
    attributes=st.dictionaries(st.just("city"), st.text("'=@x", min_size=1), min_size=1),
)


@given(ROWS)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_row_survives_csv_unchanged(row: Row) -> None:
    text = "".join(files.write_csv(iter([row]), ["city"]))
    assert list(files.read(io.BytesIO(text.encode()), Format.CSV)) == [row]


@given(ROWS)
def test_no_cell_of_an_exported_csv_begins_like_a_formula(row: Row) -> None:
    _, *lines = files.write_csv(iter([row]), ["city"])
    cells = next(csv.reader(io.StringIO("".join(lines), newline="")))
    assert not any(cell.startswith(tuple("=+-@＝＋－＠\t\r\n")) for cell in cells)
