"""What an SMTP reply means for the delivery and for the address."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.base import Fault, Verdict
from channels.email.replies import Phase, Reply, refused, returned


@pytest.mark.parametrize("status", ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"])
def test_a_dead_address_fails_and_is_suppressed(status: str) -> None:
    outcome = refused(Phase.RECIPIENT, Reply(550, f"{status} no such user"))

    assert outcome.verdict is Verdict.FAILED
    assert outcome.code == f"smtp-550-{status}"
    assert outcome.fault is Fault.RECIPIENT
    assert outcome.suppress == "address-dead"


def test_a_full_mailbox_fails_this_edition_and_counts_against_the_address() -> None:
    outcome = refused(Phase.RECIPIENT, Reply(552, "5.2.2 mailbox full"))

    assert (outcome.verdict, outcome.suppress) == (Verdict.FAILED, "mailbox-full")
    assert outcome.fault is Fault.RECIPIENT


def test_a_mailbox_that_is_full_for_now_is_tried_again_and_counts_as_well() -> None:
    outcome = refused(Phase.RECIPIENT, Reply(452, "4.2.2 over quota"))

    assert (outcome.verdict, outcome.suppress) == (Verdict.RETRYING, "mailbox-full")


@pytest.mark.parametrize("code", [421, 450, 451, 452, 454])
@pytest.mark.parametrize("phase", Phase)
def test_a_4xx_reply_is_tried_again(phase: Phase, code: int) -> None:
    outcome = refused(phase, Reply(code, "4.3.0 later"))

    assert outcome.verdict is Verdict.RETRYING
    assert outcome.suppress is None


class TestForNow:
    """Whose matter a refusal with 4xx is."""

    @pytest.mark.parametrize("phase", [Phase.RECIPIENT, Phase.CONTENT])
    @pytest.mark.parametrize(
        "words",
        [
            "4.7.1 Greylisted",
            "4.4.1 No answer from host",
            "4.3.0 Lookup failed",
            "4.5.3 Too many recipients",
            "Throttling failure: maximum sending rate exceeded",
        ],
    )
    def test_once_a_reader_was_named_it_is_about_where_they_are(
        self, phase: Phase, words: str
    ) -> None:
        assert refused(phase, Reply(451, words)).fault is Fault.DESTINATION

    @pytest.mark.parametrize("phase", [Phase.OPENING, Phase.SENDER])
    def test_before_it_is_about_the_relay(self, phase: Phase) -> None:
        assert refused(phase, Reply(451, "4.7.1 Try later")).fault is Fault.PROVIDER

    @pytest.mark.parametrize(
        "reply",
        [
            Reply(421, "4.7.0 Try again later, closing connection"),
            Reply(452, "4.3.1 Insufficient system storage"),
            Reply(432, "4.3.2 Concurrent connections limit exceeded"),
            Reply(399, "4.7.1 nonsense"),
        ],
    )
    def test_a_relay_that_takes_nothing_says_so_at_any_time(self, reply: Reply) -> None:
        assert refused(Phase.RECIPIENT, reply).fault is Fault.PROVIDER

    @pytest.mark.parametrize("status", ["4.1.1", "4.2.0", "4.2.1", "4.2.2"])
    def test_a_mailbox_is_a_matter_of_its_own(self, status: str) -> None:
        assert refused(Phase.RECIPIENT, Reply(450, f"{status} busy")).fault is Fault.RECIPIENT


@pytest.mark.parametrize("status", ["5.7.1", "5.7.26", "5.7.27", "5.7.30", "5.7.515"])
@pytest.mark.parametrize("phase", Phase)
def test_a_policy_refusal_is_ours_and_never_suppresses_the_reader(
    phase: Phase, status: str
) -> None:
    outcome = refused(phase, Reply(550, f"{status} not authenticated"))

    assert outcome.fault in {Fault.ACCOUNT, Fault.CONTENT}
    assert outcome.suppress is None


@pytest.mark.parametrize("phase", [Phase.OPENING, Phase.SENDER])
def test_a_refusal_of_the_account_itself_fails_nobody(phase: Phase) -> None:
    outcome = refused(phase, Reply(535, "5.7.8 wrong password"))

    assert (outcome.verdict, outcome.fault) == (Verdict.RETRYING, Fault.ACCOUNT)


def test_a_refusal_for_our_fault_after_naming_the_reader_fails_that_delivery() -> None:
    outcome = refused(Phase.RECIPIENT, Reply(550, "5.7.26 not authenticated"))

    assert (outcome.verdict, outcome.fault) == (Verdict.FAILED, Fault.ACCOUNT)


@pytest.mark.parametrize("phase", [Phase.RECIPIENT, Phase.CONTENT])
@pytest.mark.parametrize("status", ["5.7.1 spam", "5.7.26 no DMARC", "5.3.4 too big"])
def test_our_own_fault_fails_the_message_and_no_address(phase: Phase, status: str) -> None:
    outcome = refused(phase, Reply(554, status))

    assert (outcome.verdict, outcome.fault) == (Verdict.FAILED, Fault.ACCOUNT)
    assert outcome.suppress is None


def test_a_message_too_big_for_our_own_relay_stops_the_account() -> None:
    outcome = refused(Phase.SENDER, Reply(552, "5.3.4 too big"))

    assert (outcome.verdict, outcome.fault) == (Verdict.RETRYING, Fault.ACCOUNT)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (554, "5.7.1 <a@b.example>: Relay access denied"),
        # Postfix with its default `defer_unauth_destination`.
        (454, "4.7.1 <a@b.example>: Relay access denied"),
        (550, "5.7.54 SMTP; Unable to relay recipient in non-accepted domain"),
        (550, "Relaying denied"),
        (550, "relay not permitted"),
        (550, "authentication required: not permitted to relay"),
        (550, "Relaying to <a@b.example> prohibited"),
        (550, "Relaying is not allowed"),
        (553, "Relaying disallowed as news@example.org"),
        (553, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"),
    ],
)
def test_a_relay_that_does_not_know_us_stops_the_account_and_no_domain(
    code: int, words: str
) -> None:
    outcome = refused(Phase.RECIPIENT, Reply(code, words))

    assert (outcome.verdict, outcome.fault) == (Verdict.RETRYING, Fault.ACCOUNT)


def test_an_unknown_reader_of_a_relayed_domain_does_not_stop_the_account() -> None:
    outcome = refused(Phase.RECIPIENT, Reply(550, "User unknown in relay recipient table"))

    assert (outcome.verdict, outcome.fault) == (Verdict.FAILED, Fault.RECIPIENT)


#: What a relay says that asks the next one about a recipient first.
NEXT_ONE_SAID = "host mx.dead.example[192.0.2.7] said: 554 5.7.1 <a@b.example>: Relay access denied"


class TestQuoted:
    """What a relay quotes of another one says nothing about us."""

    def test_an_address_that_could_not_be_verified_waits_alone(self) -> None:
        words = (
            "4.1.1 <a@b.example>: Recipient address rejected: unverified address: "
            f"{NEXT_ONE_SAID} (in reply to RCPT TO command)"
        )

        outcome = refused(Phase.RECIPIENT, Reply(450, words))

        assert (outcome.verdict, outcome.fault) == (Verdict.RETRYING, Fault.RECIPIENT)

    def test_an_undeliverable_address_is_dead(self) -> None:
        words = (
            "5.1.1 <a@b.example>: Recipient address rejected: undeliverable address: "
            f"{NEXT_ONE_SAID} (in reply to RCPT TO command)"
        )

        outcome = refused(Phase.RECIPIENT, Reply(550, words))

        assert (outcome.verdict, outcome.suppress) == (Verdict.FAILED, "address-dead")

    @pytest.mark.parametrize(
        "words",
        [
            "Verification failed for <a@b.example>\nCalled:   192.0.2.7\n"
            "Sent:     RCPT TO:<a@b.example>\nResponse: 550 relay not permitted",
            "5.4.1 Remote server returned an error -> 550 relay not permitted",
            f"undeliverable address: {NEXT_ONE_SAID}",
            "callout to host mx.dead.example[192.0.2.7] failed: Relaying denied",
        ],
    )
    def test_without_a_status_it_fails_that_recipient(self, words: str) -> None:
        outcome = refused(Phase.RECIPIENT, Reply(550, words))

        assert (outcome.verdict, outcome.fault) == (Verdict.FAILED, Fault.RECIPIENT)

    @pytest.mark.parametrize("status", ["5.1.1", "5.2.1"])
    def test_a_status_about_the_address_is_believed_without_a_quotation(self, status: str) -> None:
        outcome = refused(Phase.RECIPIENT, Reply(550, f"{status} Relay access denied"))

        assert (outcome.verdict, outcome.suppress) == (Verdict.FAILED, "address-dead")


@pytest.mark.parametrize(
    "words", ["sorry, no mailbox here by that name (#5.1.1)", "#5.1.1 no such user"]
)
def test_the_enhanced_code_is_read_where_qmail_and_ironport_write_it(words: str) -> None:
    outcome = refused(Phase.RECIPIENT, Reply(550, words))

    assert (outcome.code, outcome.suppress) == ("smtp-550-5.1.1", "address-dead")


def test_a_malformed_message_is_about_its_content() -> None:
    assert refused(Phase.CONTENT, Reply(554, "5.6.0 bad header")).fault is Fault.CONTENT
    assert refused(Phase.CONTENT, Reply(554, "no thanks")).fault is Fault.CONTENT


@pytest.mark.parametrize(
    "reply",
    [
        Reply(530, "authentication required"),
        Reply(535, "5.7.8 bad credentials"),
    ],
)
@pytest.mark.parametrize("phase", Phase)
def test_a_missing_sign_in_stops_the_account_at_once(phase: Phase, reply: Reply) -> None:
    outcome = refused(phase, reply)

    assert (outcome.verdict, outcome.fault) == (Verdict.RETRYING, Fault.ACCOUNT)


NOT_UNDERSTOOD = [
    Reply(550, "5.5.1 bad sequence of commands"),
    Reply(555, "5.5.4 parameters not recognized"),
    Reply(503, "bad sequence of commands"),
]


@pytest.mark.parametrize("reply", NOT_UNDERSTOOD)
@pytest.mark.parametrize("phase", [Phase.OPENING, Phase.SENDER])
def test_a_command_that_is_not_understood_stops_the_account_at_once(
    phase: Phase, reply: Reply
) -> None:
    outcome = refused(phase, reply)

    assert (outcome.verdict, outcome.fault) == (Verdict.RETRYING, Fault.ACCOUNT)


@pytest.mark.parametrize("reply", NOT_UNDERSTOOD)
@pytest.mark.parametrize("phase", [Phase.RECIPIENT, Phase.CONTENT])
def test_once_a_reader_was_named_it_fails_that_message_alone(phase: Phase, reply: Reply) -> None:
    """One odd recipient must not make the account rest, and be its probe, until the deadline."""
    outcome = refused(phase, reply)

    assert (outcome.verdict, outcome.fault) == (Verdict.FAILED, Fault.ACCOUNT)
    assert outcome.suppress is None


def test_an_address_whose_syntax_the_server_does_not_like_stops_nobody_else() -> None:
    outcome = refused(Phase.RECIPIENT, Reply(501, "bad address"))

    assert (outcome.verdict, outcome.fault) == (Verdict.FAILED, Fault.RECIPIENT)


def test_what_is_refused_before_a_recipient_is_named_never_falls_on_the_reader() -> None:
    outcome = refused(Phase.SENDER, Reply(550, "5.1.1 no such sender"))

    assert outcome.fault is Fault.ACCOUNT
    assert outcome.suppress is None


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (550, "User not found: reader@163.com"),
        (550, "Mailbox unavailable or access denied"),
        (550, "No such user here"),
        (550, "5.4.1 Recipient address rejected: Access denied"),
        (550, "5.4.4 Host not found"),
        (550, "5.1.0 Address rejected"),
        (550, "5.0.0 user unknown"),
        # Outlook's undefined protocol status for a mailbox that does not exist.
        (550, "5.5.0 mailbox unavailable"),
    ],
)
def test_a_refusal_without_a_clear_reason_counts_against_the_address(code: int, words: str) -> None:
    outcome = refused(Phase.RECIPIENT, Reply(code, words))

    assert (outcome.verdict, outcome.fault) == (Verdict.FAILED, Fault.RECIPIENT)
    assert outcome.suppress == "refused-repeatedly"


@pytest.mark.parametrize(
    "words",
    [
        "Message rejected as spam",
        "203.0.113.7 is blocked using zen.example",
        "your IP is listed in a DNSBL",
        "Ip frequency limited",
        "Sender verify failed",
        "rejected by local policy",
        "message size exceeds the limit of this mailbox",
        "5.1.0 Sender rejected",
        "caught by the antispam system",
        "unsolicited mail",
        "DT:SPM 163 smtp9,DcCow 1,please see http://mail.163.com/",
        "RP:TRC 163 mx1",
        "HL:ITC 163 mx1",
        "MI:IMF 163 mx1",
        "see http://mail.163.com/help/help_spam_16.htm",
        "IP is rejected, smtp auth error limit exceed",
    ],
)
def test_one_that_speaks_of_us_never_counts_against_the_reader(words: str) -> None:
    outcome = refused(Phase.RECIPIENT, Reply(550, words))

    assert (outcome.verdict, outcome.fault) == (Verdict.FAILED, Fault.RECIPIENT)
    assert outcome.suppress is None


@pytest.mark.parametrize(
    "words",
    [
        "<block.smith@example.net>: no such user",
        "no such user: spam.collector@example.net",
        "<bob@reputation.example>: no such user",
    ],
)
def test_what_a_reader_is_called_speaks_of_nobody_else(words: str) -> None:
    assert refused(Phase.RECIPIENT, Reply(550, words)).suppress == "refused-repeatedly"


@pytest.mark.parametrize("words", ["no thanks", "5.3.0 no thanks", "5.5.0 no thanks"])
def test_neither_does_a_refusal_of_the_whole_message(words: str) -> None:
    assert refused(Phase.CONTENT, Reply(554, words)).suppress is None


def test_a_full_mailbox_is_known_by_its_reply_code_too() -> None:
    outcome = refused(Phase.RECIPIENT, Reply(552, "Quota exceeded"))

    assert (outcome.verdict, outcome.suppress) == (Verdict.FAILED, "mailbox-full")


def test_an_enhanced_code_that_contradicts_the_reply_code_is_ignored() -> None:
    outcome = refused(Phase.RECIPIENT, Reply(450, "5.1.1 no such user"))

    assert (outcome.code, outcome.verdict) == ("smtp-450", Verdict.RETRYING)


class TestReturned:
    """What a delivery status notification means: the rules of a refusal at once."""

    def test_a_dead_address_is_suppressed(self) -> None:
        outcome = returned("5.1.1", "550 No such user")

        assert (outcome.verdict, outcome.code) == (Verdict.FAILED, "dsn-5.1.1")
        assert outcome.suppress == "address-dead"

    @pytest.mark.parametrize("status", ["5.2.2", "4.2.2"])
    def test_a_full_mailbox_counts_against_the_address(self, status: str) -> None:
        assert returned(status, "over quota").suppress == "mailbox-full"

    @pytest.mark.parametrize("status", ["5.0.0", "5.1.0", "5.4.4"])
    def test_a_refusal_without_a_clear_reason_counts_against_the_address(self, status: str) -> None:
        assert returned(status, "host not found").suppress == "refused-repeatedly"

    def test_our_own_fault_suppresses_nobody(self) -> None:
        outcome = returned("5.7.26", "not authenticated")

        assert (outcome.fault, outcome.suppress) == (Fault.ACCOUNT, None)

    @pytest.mark.parametrize("status", ["4.4.7", ""])
    def test_what_was_given_up_later_suppresses_nobody(self, status: str) -> None:
        assert returned(status, "message expired").suppress is None

    @pytest.mark.parametrize(
        ("status", "words"),
        [
            ("5.4.300", "550 5.4.300 Message expired -> 451 4.7.500 Server busy"),
            ("5.4.7", "451 4.7.1 Greylisted"),
            ("5.4.7", "delivery time expired"),
            ("5.0.0", "451 temporarily deferred"),
            ("", "host mx.example.net said: 451 temporarily deferred"),
            ("5.4.316", "550 5.4.316 Message expired, connection refused"),
            ("5.0.0", "retry timeout exceeded"),
            ("4.4.7", "550 4.4.7 QUEUE.Expired; message expired"),
        ],
    )
    def test_what_was_given_up_is_nobodys_fault(self, status: str, words: str) -> None:
        outcome = returned(status, words)

        assert (outcome.verdict, outcome.fault) == (Verdict.FAILED, Fault.DESTINATION)
        assert outcome.suppress is None

    @pytest.mark.parametrize(
        "words",
        [
            "554 DT:SPM 163 smtp9,DcCow 1,please see http://mail.163.com/help/help_spam_16.htm "
            "(in reply to end of DATA command)",
            "554 no thanks (in reply to end of DATA command)",
            "554 no thanks (in reply to DATA command)",
            "SMTP error from remote mail server after end of data: 554 no thanks",
            "SMTP error from remote mail server after pipelined end of data: 554 no thanks",
        ],
    )
    @pytest.mark.parametrize("status", ["5.0.0", ""])
    def test_a_refusal_of_the_whole_message_is_no_strike(self, status: str, words: str) -> None:
        assert returned(status, words).suppress is None

    def test_the_command_that_named_the_reader_is_about_the_reader(self) -> None:
        outcome = returned("5.0.0", "554 no thanks (in reply to RCPT TO command)")

        assert outcome.suppress == "refused-repeatedly"

    @pytest.mark.parametrize("status", ["", "5.0.0"])
    @pytest.mark.parametrize(
        "words",
        [
            "550 User not found: bob@qq.com",
            "Remote host said: 550 unknown user bob",
            "RCPT TO: host mx.example.net 192.0.2.1 550 User not found: bob@163.com",
            "550 Mailbox unavailable or access denied [MIkeT] IP: 192.0.2.1.",
            "554: delivery error: dd This user doesn't have a yahoo.com account",
            "Message of 412 lines: host mx.example.net said: 550 No such user",
        ],
    )
    def test_the_reply_code_in_the_words_counts_without_a_status(
        self, status: str, words: str
    ) -> None:
        assert returned(status, words).suppress == "refused-repeatedly"

    @pytest.mark.parametrize("status", ["", "5.0.0"])
    def test_a_full_mailbox_is_known_by_the_reply_code_in_the_words(self, status: str) -> None:
        assert returned(status, "552 Quota exceeded").suppress == "mailbox-full"

    def test_a_precise_status_beats_a_reply_code_of_another_class(self) -> None:
        assert returned("4.2.2", "550 over quota").suppress == "mailbox-full"
        assert returned("5.1.1", "Message of 412 lines").suppress == "address-dead"

    @pytest.mark.parametrize("status", ["5.0.350", "5.4.300"])
    def test_what_exchange_quotes_is_more_precise_than_its_own_status(self, status: str) -> None:
        outcome = returned(status, f"550 {status} Remote error -> 550 5.1.1 User unknown")

        assert (outcome.code, outcome.suppress) == ("dsn-5.1.1", "address-dead")

    def test_a_relay_denied_to_another_one_is_about_the_address(self) -> None:
        outcome = returned("5.1.1", f"550 5.1.1 undeliverable address: {NEXT_ONE_SAID}")

        assert outcome.suppress == "address-dead"


@settings(deadline=None)
@given(st.sampled_from(Phase), st.integers(400, 599), st.text(max_size=2000))
def test_every_refusal_is_told_apart_and_has_a_short_printable_reply(
    phase: Phase, code: int, text: str
) -> None:
    outcome = refused(phase, Reply(code, text))

    fails = code >= 500 and outcome.fault is not Fault.ACCOUNT
    assert outcome.verdict is Verdict.FAILED or not fails
    assert outcome.verdict is Verdict.RETRYING or code >= 500
    assert outcome.fault is not None
    assert len(outcome.reply) <= 500
    assert outcome.reply.isprintable()


@pytest.mark.parametrize(
    "words",
    [
        "5.7.1 RESOLVER.RST.AuthRequired; authentication required",
        "5.7.124 Sender not in allowed-senders list",
        "5.7.134 Sender not authenticated for mailbox",
    ],
)
def test_a_mailbox_that_takes_mail_from_some_only_speaks_for_itself(words: str) -> None:
    for outcome in (
        refused(Phase.RECIPIENT, Reply(550, words)),
        returned(words.partition(" ")[0], f"550 {words}"),
    ):
        assert (outcome.verdict, outcome.fault) == (Verdict.FAILED, Fault.RECIPIENT)
        assert outcome.suppress is None


def test_an_ip_address_at_the_beginning_is_no_enhanced_code() -> None:
    outcome = refused(Phase.RECIPIENT, Reply(550, "5.2.1.7 is blocked"))

    assert (outcome.code, outcome.suppress) == ("smtp-550", None)
