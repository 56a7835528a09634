package shopify

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"hawker/commerce"
)

// CartLink is a page of the store where these lines are paid, for buyers whose stock only we hold (page "Create cart
// permalinks"). It costs no call. Prices are the store's own; a price of a line is ignored. The order carries the holds.
func (c *Client) CartLink(lines []DraftLine, holds []commerce.ID) (string, error) {
	if len(lines) == 0 {
		return "", errors.New("cart link: no line")
	}
	var parts []string
	for _, l := range lines {
		n, err := numberOf(l.Variant, "ProductVariant")
		if err != nil {
			return "", fmt.Errorf("cart link: %w", err)
		}
		if l.Quantity < 1 {
			return "", fmt.Errorf("cart link: %d pieces of %s", l.Quantity, l.Variant)
		}
		parts = append(parts, strconv.FormatInt(n, 10)+":"+strconv.Itoa(l.Quantity))
	}
	link := c.admin.Root() + "/cart/" + strings.Join(parts, ",")
	if len(holds) > 0 {
		link += "?" + url.Values{"attributes[" + AttributeHold + "]": {joinHolds(holds)}}.Encode()
	}
	return link, nil
}

// WithCode is a page of CartLink's on which the discount code is filled in already (page "Create cart permalinks"). Buyers see
// there whether it applies.
func WithCode(link, code string) string {
	join := "?"
	if strings.Contains(link, "?") {
		join = "&"
	}
	return link + join + "discount=" + url.QueryEscape(code)
}

// numberOf is the number in a gid of the given kind, for example 42 in gid://shopify/ProductVariant/42.
func numberOf(gid, kind string) (int64, error) {
	s, ok := strings.CutPrefix(gid, "gid://shopify/"+kind+"/")
	n, err := strconv.ParseInt(s, 10, 64)
	if !ok || err != nil || n <= 0 {
		return 0, fmt.Errorf("id %q: not a %s of Shopify", gid, kind)
	}
	return n, nil
}

// gidOf is the store's id of a thing by its number; empty for no number.
func gidOf(kind string, n int64) string {
	if n <= 0 {
		return ""
	}
	return "gid://shopify/" + kind + "/" + strconv.FormatInt(n, 10)
}

// maxHolds bounds what is read from one attribute, which a buyer can edit. A cart has at most 500 lines.
const maxHolds = 500

func joinHolds(holds []commerce.ID) string {
	var s []string
	for _, h := range holds {
		s = append(s, h.String())
	}
	return strings.Join(s, ",")
}

// holdsIn reads the hold ids out of attributes. What is no id is passed over.
func holdsIn(attrs []attribute) []commerce.ID {
	var out []commerce.ID
	for _, a := range attrs {
		if a.Key != AttributeHold {
			continue
		}
		for part := range strings.SplitSeq(a.Value, ",") {
			id, err := commerce.ParseID(strings.TrimSpace(part))
			if err == nil && !slices.Contains(out, id) && len(out) < maxHolds {
				out = append(out, id)
			}
		}
	}
	return out
}
