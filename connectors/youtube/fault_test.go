package youtube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/googleapi"

	"hawker/connectors/youtube/wire"
)

func TestClassify(t *testing.T) {
	answer := func(code int, reason string) error {
		ge := &googleapi.Error{Code: code, Body: "<html>token=ya29.secret</html>"}
		if reason != "" {
			ge.Errors = []googleapi.ErrorItem{{Reason: reason, Message: "ya29.secret"}}
		}
		return fmt.Errorf("call: %w", ge)
	}
	for _, tt := range []struct {
		err      error
		act      act
		code     string
		answered bool
	}{
		{answer(403, "quotaExceeded"), spent, "quotaExceeded", true},
		{answer(403, "dailyLimitExceeded"), spent, "dailyLimitExceeded", true},
		{answer(403, "rateLimitExceeded"), slower, "rateLimitExceeded", true},
		{answer(429, "userRequestsExceedRateLimit"), slower, "userRequestsExceedRateLimit", true},
		{answer(429, ""), slower, "429", true},
		{answer(403, "liveChatEnded"), over, "liveChatEnded", true},
		{answer(403, "liveChatDisabled"), over, "liveChatDisabled", true},
		{answer(404, "liveChatNotFound"), lost, "liveChatNotFound", true},
		{answer(404, ""), absent, "404", true},
		{answer(405, ""), absent, "405", true},
		{answer(501, ""), absent, "501", false},
		{answer(403, "forbidden"), reconnect, "forbidden", true},
		{answer(403, "insufficientPermissions"), reconnect, "insufficientPermissions", true},
		{answer(403, "insufficientLivePermissions"), reconnect, "insufficientLivePermissions", true},
		{answer(401, "authError"), reconnect, "authError", true},
		{answer(401, ""), reconnect, "401", true},
		{answer(401, "NoLinkedYouTubeAccount"), reconnect, "NoLinkedYouTubeAccount", true},
		{answer(400, "pageTokenInvalid"), stale, "pageTokenInvalid", true},
		{answer(400, "messageTextInvalid"), refused, "messageTextInvalid", true},
		{answer(403, "neverSeenBefore"), refused, "neverSeenBefore", true},
		{answer(403, "<script>alert(1)</script>"), refused, "403", true},
		{answer(403, "liveStreamingNotEnabled"), refused, "liveStreamingNotEnabled", true},
		{answer(500, "backendError"), again, "backendError", false},
		{answer(503, ""), again, "503", false},
		{answer(503, "quotaExceeded"), again, "quotaExceeded", false},
		{fmt.Errorf("x: %w", ErrQuota), spent, "quotaExceeded", true},
		{fmt.Errorf("x: %w", ErrReconnect), reconnect, "invalid_grant", true},
		{&notRenewed{"status 503"}, again, "token", true},
		{wire.ErrMalformed, again, "malformed", false},
		{context.DeadlineExceeded, again, "network", false},
		{io.ErrUnexpectedEOF, again, "network", false},
		{errors.New("dial tcp: secret"), again, "network", false},
	} {
		f := classify(tt.err)
		if f.act != tt.act || f.code != tt.code || f.answered != tt.answered {
			t.Errorf("classify(%v) = %+v, want act %d, code %q, answered %v", tt.err, f, tt.act, tt.code, tt.answered)
		}
		if f.reason == "" || strings.Contains(f.reason, "secret") || strings.ContainsAny(f.reason, "<>") {
			t.Errorf("classify(%v): reason %q", tt.err, f.reason)
		}
	}
}

func TestAnswerError(t *testing.T) {
	for _, tt := range []struct {
		body, code string
		after      time.Duration
	}{
		{`{"error":{"code":403,"errors":[{"reason":"liveChatEnded"}]}}`, "liveChatEnded", 0},
		{`[{"error":{"code":403,"errors":[{"reason":"quotaExceeded"}]}}]`, "quotaExceeded", 0},
		{`<html>`, "403", 7 * time.Second},
		{``, "403", 0},
		{`{"error":"access_denied"}`, "403", 0},
	} {
		res := &http.Response{StatusCode: 403, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(tt.body))}
		if tt.after > 0 {
			res.Header.Set("Retry-After", "7")
		}
		if f := classify(answerError(res)); f.code != tt.code || f.after != tt.after {
			t.Errorf("%s: %+v, want %q after %v", tt.body, f, tt.code, tt.after)
		}
	}
}

func TestRecent(t *testing.T) {
	var r recent
	for i := range 3 * keepIDs {
		if !r.add(fmt.Sprint(i)) {
			t.Fatalf("%d is not new", i)
		}
	}
	if r.add(fmt.Sprint(3*keepIDs-1)) || r.add(fmt.Sprint(2*keepIDs)) || !r.add("0") || len(r.set) != keepIDs {
		t.Errorf("the last %d keys and no other must be known; %d are", keepIDs, len(r.set))
	}
}
