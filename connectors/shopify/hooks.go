package shopify

import (
	"context"
	"errors"
	"slices"

	"hawker/connectors/shopify/admin"
)

// Topics are what EnsureWebhooks subscribes to, as the API spells them; in the header X-Shopify-Topic they are
// "orders/create" and so on.
func Topics() []string {
	return []string{
		"ORDERS_CREATE", "ORDERS_PAID", "ORDERS_UPDATED", "ORDERS_CANCELLED",
		"INVENTORY_LEVELS_UPDATE", "DRAFT_ORDERS_UPDATE", "APP_UNINSTALLED",
	}
}

type hookNode struct{ ID, Topic, URI, Filter, Format string }

// EnsureWebhooks makes the store send each of Topics to callback, once: what is missing is created, what points elsewhere,
// has a filter or is double is replaced. The store deletes subscriptions whose deliveries fail for hours, so call it at
// start-up and every ten minutes. Subscriptions to other topics are left alone. It says how many it changed.
func (c *Client) EnsureWebhooks(ctx context.Context, callback string) (changed int, err error) {
	have, err := c.webhooks(ctx)
	if err != nil {
		return 0, err
	}
	for _, topic := range Topics() {
		good := false
		var bad []string
		for _, h := range have {
			switch {
			case h.Topic != topic:
			case !good && h.URI == callback && h.Filter == "" && h.Format == "JSON":
				good = true
			default:
				bad = append(bad, h.ID)
			}
		}
		// A wrong one goes first: the store refuses a second subscription of one topic to one address.
		for _, id := range bad {
			if err := c.deleteWebhook(ctx, id); err != nil {
				return changed, err
			}
			changed++
		}
		if good {
			continue
		}
		if err := c.createWebhook(ctx, topic, callback); err != nil {
			return changed, err
		}
		changed++
	}
	return changed, nil
}

func (c *Client) webhooks(ctx context.Context) ([]hookNode, error) {
	var all []hookNode
	var next pageInfo
	for {
		var out struct {
			WebhookSubscriptions struct {
				PageInfo pageInfo
				Nodes    []hookNode
			}
		}
		if _, err := c.do(ctx, opHookList, map[string]any{"after": next.after()}, &out); err != nil {
			return nil, err
		}
		all = append(all, out.WebhookSubscriptions.Nodes...)
		if next = out.WebhookSubscriptions.PageInfo; !next.HasNextPage {
			return all, nil
		}
	}
}

func (c *Client) createWebhook(ctx context.Context, topic, callback string) error {
	var out struct {
		WebhookSubscriptionCreate struct{ UserErrors []admin.UserError }
	}
	vars := map[string]any{"t": topic, "w": map[string]any{"uri": callback, "format": "JSON"}}
	if _, err := c.do(ctx, opHookCreate, vars, &out); err != nil {
		return err
	}
	return c.unlessSo(ctx, admin.Refusal(opHookCreate, out.WebhookSubscriptionCreate.UserErrors), func(have []hookNode) bool {
		return slices.ContainsFunc(have, func(h hookNode) bool { return h.Topic == topic && h.URI == callback })
	})
}

func (c *Client) deleteWebhook(ctx context.Context, id string) error {
	var out struct {
		WebhookSubscriptionDelete struct{ UserErrors []admin.UserError }
	}
	if _, err := c.do(ctx, opHookDelete, map[string]any{"id": id}, &out); err != nil {
		return err
	}
	return c.unlessSo(ctx, admin.Refusal(opHookDelete, out.WebhookSubscriptionDelete.UserErrors), func(have []hookNode) bool {
		return !slices.ContainsFunc(have, func(h hookNode) bool { return h.ID == id })
	})
}

// unlessSo is no, the store's refusal of a change, unless the subscriptions are so already. A lost answer is asked again; the store
// then refuses the double.
func (c *Client) unlessSo(ctx context.Context, no error, so func(have []hookNode) bool) error {
	if no == nil {
		return nil
	}
	have, err := c.webhooks(ctx)
	if err != nil {
		return errors.Join(no, err)
	}
	if so(have) {
		return nil
	}
	return no
}
