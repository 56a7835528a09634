package twitch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/nicklaw5/helix/v2"

	"hawker/connectors/twitch/auth"
)

// maxBody bounds what is read of any answer.
const maxBody = 1 << 20

// api is where Twitch's web calls go.
type api struct {
	helixURL string
	auth     *auth.Server
	http     *http.Client
}

func newAPI(o Options) (*api, error) {
	a := &api{helixURL: o.APIURL, auth: &auth.Server{URL: o.AuthURL, ID: o.ClientID, Secret: o.ClientSecret}, http: o.HTTP}
	if a.helixURL == "" {
		a.helixURL = DefaultAPIURL
	}
	if a.auth.URL == "" {
		a.auth.URL = DefaultAuthURL
	}
	for _, p := range []*string{&a.helixURL, &a.auth.URL} {
		*p = strings.TrimRight(*p, "/")
		if u, err := url.Parse(*p); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf("twitch: address %q: want http:// or https://", *p)
		}
	}
	if a.http == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		if o.DialContext != nil {
			t.DialContext = o.DialContext
		}
		a.http = &http.Client{Transport: t, Timeout: 10 * time.Second}
	}
	a.auth.HTTP = a.http
	return a, nil
}

// helix is a platform client for one call: it then has the call's ctx and one token, refreshes nothing by itself, and
// shares no state between goroutines. The recorder holds what helix does not give on: the exact answer.
func (a *api) helix(ctx context.Context, access string) (*helix.Client, *recorder, error) {
	rec := &recorder{http: a.http}
	h, err := helix.NewClientWithContext(ctx, &helix.Options{ClientID: a.auth.ID, UserAccessToken: access, APIBaseURL: a.helixURL, HTTPClient: rec})
	return h, rec, err
}

// recorder makes a call for helix and remembers the answer. helix would read a body of any length, panic on the body
// "null", fail to decode an HTML page and lose drop_reason.
type recorder struct {
	http   *http.Client
	status int
	header http.Header
	body   []byte
}

var errNoObject = errors.New("the answer is no JSON object")

func (r *recorder) Do(req *http.Request) (*http.Response, error) {
	res, err := r.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	r.body, err = io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil {
		return nil, err
	}
	r.status, r.header = res.StatusCode, res.Header
	none := res.StatusCode == http.StatusNoContent && len(r.body) == 0
	if res.StatusCode < 300 && !none && !bytes.HasPrefix(bytes.TrimSpace(r.body), []byte("{")) {
		return nil, errNoObject
	}
	res.Body = io.NopCloser(bytes.NewReader(r.body))
	return res, nil
}

// message is the platform's sentence about an error, when the answer is one of its own. It is cut: it goes to pages.
func (r *recorder) message() string {
	var v struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(r.body, &v) != nil {
		return ""
	}
	if len(v.Message) > 200 {
		v.Message = strings.ToValidUTF8(v.Message[:200], "")
	}
	return v.Message
}

// logins looks up the present logins of users by their ids, at most 100.
func (a *api) logins(ctx context.Context, access string, ids []string) (map[string]string, error) {
	h, rec, err := a.helix(ctx, access)
	if err != nil {
		return nil, err
	}
	res, err := h.GetUsers(&helix.UsersParams{IDs: ids[:min(len(ids), 100)]})
	if err != nil {
		return nil, fmt.Errorf("look up logins: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("look up logins: status %d: %s", res.StatusCode, rec.message())
	}
	found := map[string]string{}
	for _, u := range res.Data.Users {
		found[u.ID] = u.Login
	}
	return found, nil
}
