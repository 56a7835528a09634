package shopifysim_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"hawker/connectors/shopify/shopifysim"
)

// reply is an answer of the API.
type reply struct {
	status  int
	version string
	text    string

	Data   map[string]any
	Errors []struct {
		Message    string
		Path       []any
		Extensions map[string]any
	}
	Extensions struct {
		Cost struct {
			RequestedQueryCost float64
			ActualQueryCost    *float64
			ThrottleStatus     struct{ MaximumAvailable, CurrentlyAvailable, RestoreRate float64 }
		}
	}
}

func (r reply) code() string {
	if len(r.Errors) == 0 {
		return ""
	}
	return fmt.Sprint(r.Errors[0].Extensions["code"])
}

func post(t testing.TB, s *shopifysim.Sim, path, token string, body []byte) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Shopify-Access-Token", token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	r := reply{status: resp.StatusCode, version: resp.Header.Get("X-Shopify-API-Version"), text: string(text)}
	_ = json.Unmarshal(text, &r) // an error is a text there; text has it
	return r
}

const api = "/admin/api/2026-10/graphql.json"

// ask sends a query with the store's own token.
func ask(t testing.TB, s *shopifysim.Sim, query string, vars map[string]any) reply {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": vars})
	if err != nil {
		t.Fatal(err)
	}
	return post(t, s, api, "shpat_sim", body)
}

func TestAPIErrors(t *testing.T) {
	s := start(t, shopifysim.Options{Scopes: []string{"read_products"}})
	for _, tt := range []struct{ name, query, code, says string }{
		{"no query", ``, "<nil>", ""},
		{"a syntax error", `{ shop { `, "<nil>", "syntax error"},
		{"a field that is none", `{ shop { nme } }`, "undefinedField", "Field 'nme' doesn't exist on type 'Shop'"},
		{"an argument that is none", `{ shop(id: 1) { name } }`, "argumentNotAccepted", ""},
		{"a variable that is missing", `query($id: ID!) { product(id: $id) { id } }`, "INVALID_VARIABLE", ""},
		{"two operations", `query A { shop { id } } query B { shop { id } }`, "<nil>", "operation name"},
		{
			"too dear", `{ products(first: 250) { nodes { variants(first: 250) { nodes { id } } } } }`,
			"MAX_COST_EXCEEDED", "exceeds the single query max cost limit 1000",
		},
		{"a list without a length", `{ products { nodes { id } } }`, "BAD_REQUEST", "you must provide first"},
		{"a list below nothing", `query($n: Int = -1) { products(first: $n) { nodes { id } } }`, "BAD_REQUEST", "you must provide first"},
		{"a list that is too long", `{ products(first: 251) { nodes { id } } }`, "BAD_REQUEST", "from 1 to 250"},
		{"a scope that is missing", `{ orders(first: 1) { nodes { id } } }`, "ACCESS_DENIED", "Access denied for orders field"},
	} {
		r := ask(t, s, tt.query, nil)
		if r.status != 200 || r.code() != tt.code || !strings.Contains(r.text, tt.says) {
			t.Errorf("%s: %d, code %s: %s; want %s", tt.name, r.status, r.code(), r.text, tt.code)
		}
	}
	r := ask(t, s, `{ shop { name } orders(first: 1) { nodes { id } } products(first: 1) { nodes { title } } }`, nil)
	if r.Data["orders"] != nil || r.Data["shop"] == nil || r.Data["products"] == nil || r.code() != "ACCESS_DENIED" ||
		fmt.Sprint(r.Errors[0].Path) != "[orders]" {
		t.Errorf("one field that is denied: %s; want the others", r.text)
	}
	r = post(t, s, api, "wrong", []byte(`{"query":"{ shop { id } }"}`))
	if r.status != 401 || !strings.Contains(r.text, `"errors":"[API] Invalid API key`) {
		t.Errorf("a wrong token: %d %s", r.status, r.text)
	}
	if r := post(t, s, api, "shpat_sim", []byte(`{`)); r.status != 400 {
		t.Errorf("no JSON: %d %s", r.status, r.text)
	}
	if r := post(t, s, api, "shpat_sim", []byte(`{"query":"`+strings.Repeat(" ", 1<<20)+`"}`)); r.status != 400 {
		t.Errorf("a body above a megabyte: %d", r.status)
	}
	if r := ask(t, s, strings.Repeat("{a", 100_000), nil); len(r.Errors) != 1 {
		t.Errorf("a very deep query: %.200s", r.text)
	}
}

// A version that is no longer served is answered in the oldest one, and the header says so.
func TestAPIVersion(t *testing.T) {
	s := start(t, shopifysim.Options{})
	for asked, want := range map[string]string{"2026-10": "2026-10", "2026-01": "2026-01", "2024-07": "2026-01", "unstable": "2026-01"} {
		r := post(t, s, "/admin/api/"+asked+"/graphql.json", "shpat_sim", []byte(`{"query":"{ shop { name } }"}`))
		if r.status != 200 || r.version != want {
			t.Errorf("%s: %d in %s; want %s", asked, r.status, r.version, want)
		}
	}
}

// Points are taken, told and given back as the documentation has it.
func TestAPIPoints(t *testing.T) {
	s := start(t, shopifysim.Options{Bucket: 200, Restore: 0.001})
	const query = `{ products(first: 10) { nodes { id variants(first: 9) { nodes { id } } } } }`
	r := ask(t, s, query, nil)
	c := r.Extensions.Cost
	// 10 products with 9 variants may come, 7 with 18 are there; the two kinds of list are objects too.
	if c.RequestedQueryCost != 100 || c.ActualQueryCost == nil || *c.ActualQueryCost >= 100 || *c.ActualQueryCost < 25 {
		t.Fatalf("cost = %s", r.text)
	}
	if st := c.ThrottleStatus; st.MaximumAvailable != 200 || st.CurrentlyAvailable != 200-*c.ActualQueryCost || st.RestoreRate != 0.001 {
		t.Errorf("status = %+v", st)
	}
	for r.code() == "" {
		r = ask(t, s, query, nil)
	}
	c = r.Extensions.Cost
	if r.code() != "THROTTLED" || r.status != 200 || r.Data != nil || c.ActualQueryCost != nil || c.RequestedQueryCost != 100 ||
		c.ThrottleStatus.CurrentlyAvailable >= 100 {
		t.Errorf("when they are gone: %s", r.text)
	}
	if n := s.Counts(); n.Throttled != 1 || n.Calls == 0 {
		t.Errorf("counts = %+v", n)
	}
	r = ask(t, s, `mutation { draftOrderDelete(input: {id: "x"}) { deletedId userErrors { field message } } }`, nil)
	if r.Extensions.Cost.RequestedQueryCost != 10 {
		t.Errorf("a mutation costs %s", r.text)
	}
}

func TestAPIFragmentsAndAliases(t *testing.T) {
	s := start(t, shopifysim.Options{})
	item := "gid://shopify/InventoryItem/46000000002"
	r := ask(t, s, `query($ids: [ID!]!) { all: nodes(ids: $ids) { __typename ...F ... on ProductVariant { sku } } shop { n: name name } }
		fragment F on InventoryItem { tracked }`,
		map[string]any{"ids": []string{item, s.VariantID("MUG-1"), "gid://shopify/InventoryItem/1"}})
	want := `[map[__typename:InventoryItem tracked:true] map[__typename:ProductVariant sku:MUG-1] <nil>]`
	if fmt.Sprint(r.Data["all"]) != want || fmt.Sprint(r.Data["shop"]) != "map[n:Ana's Ceramics name:Ana's Ceramics]" {
		t.Errorf("data = %v; want %s", r.Data, want)
	}
}

// token asks the endpoint of tokens and gives what it answered.
func token(t *testing.T, s *shopifysim.Sim, form map[string]string) (status int, out map[string]any) {
	t.Helper()
	full := map[string]string{"client_id": "sim-client", "client_secret": "sim-secret"}
	for k, v := range form {
		full[k] = v
	}
	body, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	r := post(t, s, "/admin/oauth/access_token", "", body)
	if err := json.Unmarshal([]byte(r.text), &out); err != nil {
		t.Fatalf("%s: %v", r.text, err)
	}
	return r.status, out
}

func TestTokens(t *testing.T) {
	s := start(t, shopifysim.Options{})
	for _, tt := range []struct {
		form map[string]string
		want string
	}{
		{map[string]string{"grant_type": "client_credentials", "client_secret": "x"}, "invalid_client"},
		{map[string]string{"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"},
		{map[string]string{"code": "x"}, "invalid_request"},
		{nil, "unsupported_grant_type"},
	} {
		if status, out := token(t, s, tt.form); status != 400 || out["error"] != tt.want {
			t.Errorf("%v: %d %v; want %s", tt.form, status, out, tt.want)
		}
	}
	code := func() string {
		h := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
			s.URL()+"/admin/oauth/authorize?client_id=sim-client&redirect_uri=http://hub.test/&state=x", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := h.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		u, err := resp.Location()
		if err != nil {
			t.Fatal(err)
		}
		return u.Query().Get("code")
	}
	good := func(access any) bool {
		return post(t, s, api, fmt.Sprint(access), []byte(`{"query":"{ shop { id } }"}`)).status == 200
	}
	if _, out := token(t, s, map[string]string{"code": code()}); out["refresh_token"] != nil || out["expires_in"] != nil || !good(out["access_token"]) {
		t.Errorf("without expiring: %v; want a token without an end", out)
	}
	_, first := token(t, s, map[string]string{"code": code(), "expiring": "1"})
	if first["expires_in"] != 3600.0 || first["refresh_token"] == nil || !good(first["access_token"]) {
		t.Fatalf("with expiring: %v", first)
	}
	again := map[string]string{"grant_type": "refresh_token", "refresh_token": fmt.Sprint(first["refresh_token"])}
	_, lost := token(t, s, again)
	status, second := token(t, s, again)
	if status != 200 || second["refresh_token"] == lost["refresh_token"] {
		t.Errorf("a refresh after a lost answer: %d %v; want another token", status, second)
	}
	if !good(second["access_token"]) {
		t.Error("the refreshed token is not good")
	}
	if status, out := token(t, s, again); status != 400 || out["error"] != "invalid_grant" {
		t.Errorf("the old refresh token after the new token was used: %d %v; want invalid_grant", status, out)
	}
	s.ExpireToken()
	if good(second["access_token"]) || !good("shpat_sim") {
		t.Error("after the end: want those with an end dead, and the old kind alive")
	}
	if status, _ := token(t, s, map[string]string{"grant_type": "refresh_token", "refresh_token": fmt.Sprint(second["refresh_token"])}); status != 200 {
		t.Errorf("refresh after the end: %d", status)
	}
	s.Uninstall()
	if _, out := token(t, s, map[string]string{"grant_type": "client_credentials"}); out["error"] != "app_not_installed" || good("shpat_sim") {
		t.Errorf("after the app was removed: %v", out)
	}
	code() // the owner installs it again
	if _, out := token(t, s, map[string]string{"grant_type": "client_credentials"}); !good(out["access_token"]) {
		t.Errorf("after it was installed again: %v", out)
	}
}

// Whatever is asked, the answer is JSON of the right shape, and a price is named before anything runs.
func FuzzQuery(f *testing.F) {
	s := start(f, shopifysim.Options{Bucket: 1e9, Restore: 1e9})
	f.Add(`query($q: String) { orders(first: 2, query: $q) { nodes { id lineItems(first: 3) { nodes { id } } } } }`, `{"q":"updated_at:>='x'"}`)
	f.Add(`mutation { draftOrderCreate(input: {lineItems: [{variantId: "gid://shopify/ProductVariant/44000000002", quantity: 1}]}) {
		draftOrder { id } userErrors { message } } }`, `{}`)
	f.Add(`{ products(first: -1, after: "YXQ6LTU=") { nodes { id } pageInfo { endCursor } } nodes(ids: ["x"]) { id } }`, `{"a":[1,null]}`)
	f.Add(`query($n: Int) { a: products(first: $n, reverse: true) { nodes { ...F } } }
		fragment F on Product { title variants(first: 1) { nodes { sku } } }`, `{"n":1e3}`)
	f.Fuzz(func(t *testing.T, query, vars string) {
		v := map[string]any{}
		if json.Unmarshal([]byte(vars), &v) != nil {
			v = nil
		}
		r := ask(t, s, query, v)
		if r.status != 200 || !json.Valid([]byte(r.text)) || len(r.Errors) == 0 && r.Data == nil {
			t.Fatalf("%q: %d %.300s", query, r.status, r.text)
		}
		if c := r.Extensions.Cost; c.ActualQueryCost != nil && (*c.ActualQueryCost > c.RequestedQueryCost || c.RequestedQueryCost > 1000) {
			t.Fatalf("%q: asked %v, cost %v", query, c.RequestedQueryCost, *c.ActualQueryCost)
		}
	})
}
