package web_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"hawker/internal/live/inbound"
)

// Whoever has an address may post to it; everything else about the post is bounded, and what is wrong is said.
func TestHooks(t *testing.T) {
	h := newHouse(t)
	merchant := h.merchant()
	hook, err := h.db.Rulebook().PutHook(t.Context(), merchant, "tips")
	if err != nil {
		t.Fatal(err)
	}
	post := func(token, body string, want int, text string) {
		t.Helper()
		resp, err := http.Post(h.url+"/hooks/"+token, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		got, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != want || !strings.Contains(string(got), text) {
			t.Errorf("POST %.40q: %d %s; want %d with %q", body, resp.StatusCode, got, want, text)
		}
	}
	token := hook.Token.Reveal()
	post(token, `{"from": "Zoe", "amount": 5}`, 202, "")
	post(token, "", 202, "")
	post(token, "[1]", 400, "no JSON object")
	post(token, `{"a": `, 400, "ends in the middle")
	post(token, `{"a": "`+strings.Repeat("x", inbound.BodyMost)+`"}`, 413, "larger than 64 KiB")
	post("nonsense", "{}", 404, "no such address")
	post(strings.Repeat("a", 29), "{}", 404, "no such address")
	if _, err := h.db.Rulebook().RenewHook(t.Context(), merchant, hook.ID); err != nil {
		t.Fatal(err)
	}
	post(token, "{}", 404, "no such address") // the former address is void
	next, err := h.db.Rulebook().PutHook(t.Context(), merchant, "tips")
	if err != nil {
		t.Fatal(err)
	}
	for range 15 { // five of the twenty were taken above
		post(next.Token.Reveal(), "{}", 202, "")
	}
	many := 0
	for range 3 { // one may have come back meanwhile
		resp, err := http.Post(h.url+"/hooks/"+next.Token.Reveal(), "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusTooManyRequests && resp.Header.Get("Retry-After") == "2" {
			many++
		}
	}
	if many == 0 {
		t.Error("no post was one too many")
	}
	resp, err := http.Get(h.url + "/hooks/" + next.Token.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed && resp.StatusCode != http.StatusNotFound {
		t.Errorf("GET: %d", resp.StatusCode)
	}
}
