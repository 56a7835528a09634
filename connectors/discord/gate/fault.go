package gate

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"

	"hawker/connectors/discord/perm"
	"hawker/internal/chat"
)

// Codes of Discord's that callers act on (page "Opcodes and Status Codes", JSON Error Codes).
const (
	UnknownGuild       = "10004"
	UnknownMessage     = "10008"
	UnknownMember      = "10007"
	UnknownRole        = "10011"
	UnknownInteraction = "10062"
	Acknowledged       = 40060
	MissingAccess      = "50001"
	MissingPermission  = "50013"
	Crossposted        = "40033"
	EmptyMessage       = "50006"
	WebhookToken       = "50027"
	InvalidForm        = "50035"
	NoHistory          = "160002"
)

// Codes of our own, where Discord has none.
const (
	Network   = "network"
	TooFast   = "429"
	OddAnswer = "odd_answer"
)

// reason is a sentence for the dashboard on one of Discord's codes, and the permission that is missing by its name.
func reason(code int) (sentence, missing string) {
	switch code {
	case 10003:
		return "This channel does not exist any more.", ""
	case 50001:
		return "The bot may not view this channel. Allow it in the channel's permissions.", perm.View
	case 50013:
		return "The bot may not write in this channel. Allow it in the channel's permissions.", perm.Send
	case 160002:
		return "The bot cannot reply without the permission to read the message history.", perm.History
	case 50008:
		return "This is not a text channel.", ""
	case 160005:
		return "This thread is locked.", ""
	case 10062:
		return "Discord took the command back: it got no answer within 3 seconds.", ""
	case 10015, 50027:
		return "The time for a private answer is over.", ""
	case 50006:
		return "The line has no text.", ""
	case 20016, 20028:
		return "The channel takes no more lines for the moment.", ""
	case 200000, 200001, 240000:
		return "The server's automatic moderation blocked the line.", ""
	case 10007, 10013:
		return "This viewer is not a member of the server.", ""
	case 10011:
		return "This role does not exist any more.", ""
	case 50007, 50278:
		return "This viewer takes no direct messages from the bot.", ""
	case 40003:
		return "Discord asks us to open direct messages more slowly.", ""
	case 40333:
		return "Discord's gatekeeper blocks our requests.", ""
	}
	return "", ""
}

// Missing is the name of the permission whose lack a refusal tells of, or empty.
func Missing(re *chat.Refused) string {
	code, _ := strconv.Atoi(re.Code)
	_, missing := reason(code)
	return missing
}

// Lasting reports whether a refusal will be the same until somebody changes the channel. Asking again counts towards
// the ban of our address.
func Lasting(re *chat.Refused) bool {
	switch code, _ := strconv.Atoi(re.Code); code {
	case 10003, 50001, 50013, 50008, 160005:
		return true
	}
	return re.Code == "403"
}

// Refusal is what any error of a call means. It never holds an address or a token. Whether a line may have been posted
// after all is for the caller to say where no answer came.
func Refusal(err error) *chat.Refused {
	var e *Error
	var re *chat.Refused
	switch {
	case errors.As(err, &re):
		return re
	case !errors.As(err, &e):
		re = &chat.Refused{Code: Network, Reason: "The connection to Discord broke."}
		if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() || errors.Is(err, context.DeadlineExceeded) {
			re.Reason = "Discord did not answer in time."
		}
		return re
	}
	re = &chat.Refused{Code: strconv.Itoa(e.Status), RetryAfter: e.After}
	if e.Code != 0 {
		re.Code = strconv.Itoa(e.Code)
	}
	re.Reason, _ = reason(e.Code)
	switch {
	case e.Status == 401 && !e.Private:
		re.Code, re.Reconnect = "401", true
		re.Reason = "Discord refused the bot token: it was reset or is wrong. Enter the token from the developer portal."
	case e.Status == 429:
		re.Code = TooFast
		if re.Reason == "" {
			re.Reason = "Discord asks us to go slower."
		}
		if e.Global {
			re.Reason = "Discord asks us to leave it alone for a moment."
		}
	case e.Status >= 500:
		re.Reason, re.Unknown = "Discord has trouble (status "+strconv.Itoa(e.Status)+").", !e.Ours
	case re.Reason == "":
		re.Reason = "Discord refused: " + Plain(e.Message)
	}
	return re
}

// Unreadable is the refusal where an answer came that says nothing.
func Unreadable() *chat.Refused {
	return &chat.Refused{Code: OddAnswer, Reason: "Discord answered something unreadable."}
}

// Plain makes a platform's words one short row.
func Plain(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 120 {
		s = string(r[:119]) + "…"
	}
	return s
}
