package youtube

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"google.golang.org/api/googleapi"

	"hawker/connectors/youtube/wire"
)

// act is what to do about a failed call.
type act uint8

const (
	again     act = iota // passing trouble: repeat with growing pauses
	slower               // too fast: double the gap
	spent                // no units: wait for midnight Pacific
	over                 // this chat has ended: look for the next broadcast
	lost                 // no such chat: look it up again, once
	stale                // the page token is no good: start from a new baseline
	reconnect            // only the owner can help
	suspended            // only YouTube can: the account may not do this
	refused              // this one call was wrong; others may work
	absent               // there is no such method here: use the other way to read
)

// fault is a failed call: what to do, the platform's word for it, a sentence for people, and how long to wait where the
// platform says so.
type fault struct {
	act    act
	code   string
	reason string
	after  time.Duration
	// ours is set when our own count refused the call before it was made.
	ours bool
	// answered is set when the platform itself answered, so that what became of the call is known (below 500).
	answered bool
}

// reasons is the table of the platform's words ("YouTube Live Streaming API - Errors").
func reasons(word string) (act, string, bool) {
	switch word {
	case "quotaExceeded", "dailyLimitExceeded":
		return spent, "the project's daily quota is used up", true
	case "rateLimitExceeded", "userRequestsExceedRateLimit", "userRateLimitExceeded":
		return slower, "YouTube asks us to go slower", true
	case "liveChatEnded":
		return over, "the live chat has ended", true
	case "liveChatDisabled":
		return over, "the chat is switched off for this broadcast", true
	case "liveChatNotFound":
		return lost, "YouTube does not know this live chat any more", true
	case "forbidden", "insufficientPermissions", "insufficientLivePermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT":
		return reconnect, "the permission does not cover this: the channel's owner must connect again", true
	case "authError", "youtubeSignupRequired", "NoLinkedYouTubeAccount":
		return reconnect, "the channel's owner must connect again", true
	case "pageTokenInvalid", "invalidPageToken":
		return stale, "YouTube does not know our place in the chat any more", true
	case "messageTextInvalid":
		return refused, "YouTube does not take this text", true
	case "messageTextRequired":
		return refused, "the line is empty", true
	case "liveStreamingNotEnabled":
		return refused, "live streaming is not enabled for this channel: its owner switches it on at youtube.com/features, which takes up to 24 hours", true
	case "livePermissionBlocked":
		return suspended, "YouTube has blocked live streaming for this channel", true
	case "authenticatedUserAccountSuspended", "accountSuspended":
		return suspended, "YouTube has suspended the channel's account", true
	case "authenticatedUserAccountClosed", "accountClosed":
		return suspended, "the channel's account was closed", true
	case "userBroadcastsExceedLimit":
		return refused, "YouTube takes no more broadcasts from this channel for now: delete planned ones in YouTube Studio, or wait a day", true
	case "concurrentBroadcastsExceedLimit", "sharedIngestionBroadcastsExceedLimit":
		return refused, "another broadcast of this channel is live: end it in YouTube Studio first", true
	case "errorStreamInactive":
		return refused, "YouTube does not receive the video yet", true
	case "invalidTransition":
		return refused, "the broadcast cannot change to this state from the one it is in", true
	case "redundantTransition":
		return refused, "the broadcast is in this state already", true
	case "liveBroadcastBindingNotAllowed":
		return refused, "the broadcast runs already with another stream", true
	case "liveBroadcastDeletionNotAllowed":
		return refused, "YouTube does not let this broadcast be deleted", true
	case "liveBroadcastNotFound":
		return refused, "YouTube does not know this broadcast any more", true
	case "liveStreamNotFound":
		return refused, "YouTube does not know this stream any more", true
	case "titleRequired", "invalidTitle":
		return refused, "YouTube does not take this title", true
	case "invalidDescription":
		return refused, "YouTube does not take this description", true
	case "invalidScheduledStartTime", "scheduledStartTimeRequired":
		return refused, "YouTube does not take this start", true
	case "invalidPrivacyStatus", "privacyStatusRequired", "forbiddenPrivacySetting":
		return refused, "YouTube does not let this channel broadcast with this visibility", true
	case "invalidLatencyPreferenceOptions":
		return refused, "YouTube does not take this latency", true
	case "liveChatMessageNotFound":
		return refused, "the line is not there any more", true
	case "modificationNotAllowed":
		return refused, "YouTube does not let this line be deleted", true
	case "liveChatBanInsertionNotAllowed":
		return refused, "YouTube lets nobody ban the channel's owner or a moderator", true
	case "liveChatUserNotFound", "invalidChannelId", "bannedUserChannelIdRequired":
		return refused, "YouTube does not know this viewer in the chat", true
	case "backendError", "internalError", "errorExecutingTransition":
		return again, "YouTube has trouble", true
	}
	return 0, "", false
}

// classify says what to do about an error of any call. Its sentences hold nothing from outside but the platform's word.
func classify(err error) fault {
	var ge *googleapi.Error
	var nr *notRenewed
	switch {
	case errors.Is(err, ErrQuota):
		return fault{act: spent, code: "quotaExceeded", reason: "the project's daily quota is used up", answered: true, ours: true}
	case errors.Is(err, ErrReconnect):
		return fault{act: reconnect, code: "invalid_grant", reason: "the channel's owner must connect again", answered: true}
	case errors.As(err, &nr):
		return fault{act: again, code: "token", reason: "Google did not renew our access: " + nr.why, answered: true}
	case errors.As(err, &ge):
		return classifyAnswer(ge)
	case errors.Is(err, wire.ErrMalformed):
		return fault{act: again, code: "malformed", reason: "YouTube's answer could not be understood"}
	case errors.Is(err, context.DeadlineExceeded):
		return fault{act: again, code: "network", reason: "YouTube did not answer in time"}
	}
	return fault{act: again, code: "network", reason: "the connection to YouTube broke"}
}

// classifyAnswer goes by status first: the body may be a proxy's HTML.
func classifyAnswer(ge *googleapi.Error) fault {
	f := fault{code: strconv.Itoa(ge.Code), answered: ge.Code < 500, after: retryAfter(ge.Header)}
	if len(ge.Errors) > 0 && plainWord(ge.Errors[0].Reason) {
		f.code = ge.Errors[0].Reason
	}
	if ge.Code >= 500 {
		f.act, f.reason = again, "YouTube has trouble (status "+strconv.Itoa(ge.Code)+")"
		if ge.Code == http.StatusNotImplemented {
			f.act = absent
		}
		return f
	}
	if a, why, ok := reasons(f.code); ok {
		f.act, f.reason = a, why
		return f
	}
	f.reason = "YouTube refused the call (" + f.code + ")"
	switch ge.Code {
	case http.StatusUnauthorized:
		f.act, f.reason = reconnect, "the channel's owner must connect again"
	case http.StatusTooManyRequests:
		f.act, f.reason = slower, "YouTube asks us to go slower"
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		f.act = absent
	case http.StatusRequestTimeout:
		f.act = again
	default:
		f.act = refused
	}
	return f
}

// plainWord reports whether a reason is a word and not a text that somebody put in its place.
func plainWord(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' {
			return false
		}
	}
	return true
}

func retryAfter(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n < 0 || n > 86_400 {
		return 0
	}
	return time.Duration(n) * time.Second
}

// answerError reads the error of a call that we made ourselves. Streaming endpoints wrap theirs in an array.
func answerError(res *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(res.Body, 1<<16)) // what can be read of it is enough
	ge := &googleapi.Error{Code: res.StatusCode, Header: res.Header}
	body = bytes.TrimSpace(body)
	var one struct{ Error googleapi.Error }
	var many []struct{ Error googleapi.Error }
	if json.Unmarshal(body, &many) == nil && len(many) > 0 {
		ge.Errors = many[0].Error.Errors
	} else if json.Unmarshal(body, &one) == nil {
		ge.Errors = one.Error.Errors
	}
	return ge
}
