package shopify

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	gql "github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"hawker/commerce"
	"hawker/connectors/shopify/shopifysim"
	"hawker/connectors/shopify/shopifysim/graph"
)

// variables are what each operation is sent with: all that it may hold.
func variables(t *testing.T) map[string]map[string]any {
	t.Helper()
	draft, err := draftInput(DraftInput{
		Holds: []commerce.ID{71, 72}, ReserveUntil: time.Now(), Attributes: map[string]string{"show": "spring"}, Codes: true,
		Lines: []DraftLine{
			{Variant: "gid://shopify/ProductVariant/44", Quantity: 2, Price: commerce.Money{Minor: 1550, Currency: "EUR"}},
			{Variant: "gid://shopify/ProductVariant/45", Quantity: 1},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	percent, err := new(Client).discountInput(t.Context(), DiscountRequest{Code: NewCode(), Title: "Thanks", Percent: 15, Ends: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]map[string]any{
		"CodeCreate": {"d": percent}, "Code": {"code": "ABCDEFGHJK"}, "CodeEnd": {"id": "gid://shopify/DiscountCodeNode/1"},
		"AppScopes": {}, "CatalogPage": {"after": nil, "q": "status:active"}, "VariantPage": {"id": "gid://shopify/Product/1", "after": "x"},
		"Stock": {"ids": []string{"gid://shopify/InventoryItem/1"}}, "HoldCreate": {"in": draft}, "Hold": {"id": "gid://shopify/DraftOrder/1"},
		"StockAdjust": {"in": adjustInput("gid://shopify/InventoryItem/1", "gid://shopify/Location/1", -2), "key": "k"},
		"HoldFind":    {"q": "status:open tag:hawker-1"}, "HoldsOpen": {"after": nil},
		"HoldRelease": {"in": map[string]any{"id": "gid://shopify/DraftOrder/1"}}, "HookList": {"after": "x"},
		"HookCreate": {"t": "ORDERS_PAID", "w": map[string]any{"uri": "https://hub.test/hooks", "format": "JSON"}},
		"HookDelete": {"id": "gid://shopify/WebhookSubscription/1"}, "OrdersSince": {"after": nil, "q": "updated_at:>='2026-11-23T07:00:00Z'"},
		"Order": {"id": "gid://shopify/Order/1"}, "OrderLines": {"id": "gid://shopify/Order/1", "after": "x"}, "DraftsPaid": {},
	}
}

// Every operation, with the variables it is sent with, is right by the store's schema and names itself.
func TestOperationsAreValid(t *testing.T) {
	schema, err := gqlparser.LoadSchema(&gql.Source{Name: "store", Input: shopifysim.Schema()})
	if err != nil {
		t.Fatal(err)
	}
	vars := variables(t)
	for _, op := range operations() {
		doc, err := gqlparser.LoadQueryWithRules(schema, op.Text, rules.NewDefaultRules())
		if err != nil {
			t.Errorf("%s: %v", op.Name, err)
			continue
		}
		if len(doc.Operations) != 1 || doc.Operations[0].Name != op.Name {
			t.Errorf("%s is another name in its text", op.Name)
		}
		sent, ok := vars[op.Name]
		if !ok {
			t.Errorf("%s: no variables to try", op.Name)
			continue
		}
		delete(vars, op.Name)
		var wire map[string]any // as they travel
		if b, err := json.Marshal(sent); err != nil || json.Unmarshal(b, &wire) != nil {
			t.Fatal(err)
		}
		if _, err := validator.VariableValues(schema, doc.Operations[0], wire); err != nil {
			t.Errorf("%s: %v", op.Name, err)
		}
		mutation := doc.Operations[0].Operation == gql.Mutation
		if mutation && op.Cost != 10 || !mutation && op.Once {
			t.Errorf("%s: cost %v, once %v", op.Name, op.Cost, op.Once)
		}
		if mutation && !strings.Contains(op.Text, "userErrors { field message") {
			t.Errorf("%s does not ask for the store's own no", op.Name)
		}
		if op.Cost <= 0 || op.Cost > 1000 {
			t.Errorf("%s: a first guess of %v points; one query may cost 1,000", op.Name, op.Cost)
		}
	}
	for name := range vars {
		t.Errorf("%s is no operation", name)
	}
}

// operations leaves none out.
func TestOperationsAreListed(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "ops.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared, listed []string
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			declared = append(declared, n.Names[0].Name)
		case *ast.FuncDecl:
			ast.Inspect(n.Body, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok && strings.HasPrefix(id.Name, "op") && id.Name != "operations" {
					listed = append(listed, id.Name)
				}
				return true
			})
			return false
		}
		return true
	})
	declared = slices.DeleteFunc(declared, func(s string) bool { return !strings.HasPrefix(s, "op") })
	slices.Sort(declared)
	slices.Sort(listed)
	if len(declared) < 10 || !slices.Equal(declared, listed) {
		t.Errorf("ops.go declares %v and lists %v", declared, listed)
	}
}

// A first guess of a cost is not below what the store charges before it runs, or it would have to refuse the first call.
func TestCostsAreGuessed(t *testing.T) {
	store := graph.New(shopifysim.Schema())
	vars := variables(t)
	vars["Stock"]["ids"] = slices.Repeat([]string{"gid://shopify/InventoryItem/1"}, stockChunk)
	for _, op := range operations() {
		c, errs := store.Prepare(op.Text, vars[op.Name])
		if len(errs) > 0 {
			t.Errorf("%s: %v", op.Name, errs)
			continue
		}
		if c.Cost > op.Cost || op.Cost > 2*c.Cost+10 {
			t.Errorf("%s costs %v points, guessed %v", op.Name, c.Cost, op.Cost)
		}
	}
}
