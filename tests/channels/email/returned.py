"""Reports as mail systems write them, about a message of ours."""

from __future__ import annotations

MESSAGE_ID = "<12-0123456789abcdef-34@news.example.org>"
READER = "reader@example.net"

_ORIGINAL = """\
Return-Path: <{return_path}>
From: Daily <daily@news.example.org>
To: {reader}
Subject: Today
Message-ID: {message_id}
List-Unsubscribe: <{unsubscribe_url}>
"""


def original(
    return_path: str = "bounces@news.example.org",
    unsubscribe_url: str = "https://news.example.org/unsubscribe/none",
    reader: str = READER,
    message_id: str = MESSAGE_ID,
) -> str:
    """The headers of the message that came back."""
    return _ORIGINAL.format(
        return_path=return_path,
        unsubscribe_url=unsubscribe_url,
        reader=reader,
        message_id=message_id,
    )


def dsn(
    status: str = "5.1.1",
    words: str = "smtp; 550 5.1.1 No such user",
    *,
    action: str = "failed",
    to: str = "bounces@news.example.org",
    recipient: str = READER,
    enclosed: str = "",
) -> bytes:
    """A delivery status notification as Postfix writes it (RFC 3464)."""
    return f"""\
Return-Path: <>
Date: Mon, 2 Mar 2026 08:05:00 +0000
From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {to}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.example.net.

<{recipient}>: host mx.example.net said: {words}

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
X-Postfix-Queue-ID: 4F1
Arrival-Date: Mon, 2 Mar 2026 08:00:00 +0000

Final-Recipient: rfc822; {recipient}
Original-Recipient: rfc822;{recipient}
Action: {action}
Status: {status}
Remote-MTA: dns; mx.example.net
Diagnostic-Code: {words}

--B
Content-Type: message/rfc822

{enclosed or original(reader=recipient)}
Text

--B--
""".encode()


def arf(
    feedback: str = "abuse",
    *,
    to: str = "bounces@news.example.org",
    mail_from: str = "daily@news.example.org",
    enclosed: str = "",
) -> bytes:
    """A complaint as feedback loops send it (RFC 5965)."""
    return f"""\
Return-Path: <feedback@provider.example>
Date: Mon, 2 Mar 2026 09:00:00 +0000
From: Feedback <feedback@provider.example>
Subject: FW: Today
To: {to}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="B"

--B
Content-Type: text/plain; charset=us-ascii

This is an email abuse report for an email message.

--B
Content-Type: message/feedback-report

Feedback-Type: {feedback}
User-Agent: SomeGenerator/1.0
Version: 1
Original-Mail-From: <{mail_from}>

--B
Content-Type: text/rfc822-headers

{enclosed or original()}
--B--
""".encode()


def outlook_complaint(
    *, sender: str = "staff@hotmail.com", enclosed: str = "", reader: str = READER
) -> bytes:
    """A complaint of Outlook.com's Junk Mail Reporting Program."""
    return f"""\
From: <{sender}>
To: abuse@news.example.org
Subject: complaint about message from 192.0.2.7
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="B"

--B
Content-Type: message/rfc822
Content-Disposition: inline

X-HmXmrOriginalRecipient: <{reader}>
{enclosed or original(reader=reader)}
Text

--B--
""".encode()


#: Exim writes words only, and names the recipient in a header.
EXIM = f"""\
Return-path: <>
X-Failed-Recipients: {READER}
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mx.example.net>
To: bounces@news.example.org
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  {READER}
    host mx.example.net [192.0.2.1]
    SMTP error from remote mail server after RCPT TO:<{READER}>:
    550 5.1.1 <{READER}>: Recipient address rejected: User unknown

------ This is a copy of the message, including all the headers. ------

{original()}
""".encode()


def qmail(words: str = "Sorry, no mailbox here by that name. (#5.1.1)") -> bytes:
    """qmail speaks English (https://cr.yp.to/proto/qsbmf.txt)."""
    return f"""\
Return-Path: <>
From: MAILER-DAEMON@mx.example.net
To: bounces@news.example.org
Subject: failure notice

Hi. This is the qmail-send program at mx.example.net.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{READER}>:
{words}

--- Below this line is a copy of the message.

Received: from mail.news.example.org (HELO mail) (192.5.1.1) by mx.example.net
  with SMTP; 554 5.1.1
{original()}
""".encode()


def note(
    subject: str,
    text: str,
    *,
    sender: str = "postmaster@provider.example",
    to: str = "bounces@news.example.org",
    headers: str = "",
    content_type: str = "text/plain; charset=utf-8",
) -> bytes:
    """A message in words alone; `headers`, lines of more of them."""
    return f"""\
From: {sender}
To: {to}
Subject: {subject}
{headers}MIME-Version: 1.0
Content-Type: {content_type}

{text}
""".encode()


OUT_OF_OFFICE = note(
    "Out of office: Today",
    "I am away until Monday. Your mail 550 5.1.1 was received.",
    sender=READER,
    headers="Return-Path: <>\nAuto-Submitted: auto-replied\n",
)

LETTER = note("Please stop", "I do not want this any more.\nBob", sender=f"Bob <{READER}>")
