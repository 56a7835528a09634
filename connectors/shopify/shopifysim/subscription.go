package shopifysim

import (
	"maps"
	"net/url"
	"slices"
	"strconv"

	"hawker/connectors/shopify/shopifysim/graph"
)

// subscription is a wish to hear of a topic.
type subscription struct {
	id                         int64
	topic, uri, format, filter string
}

func (h *subscription) object() graph.Obj {
	var filter any
	if h.filter != "" {
		filter = h.filter
	}
	return graph.Obj{
		"__typename": "WebhookSubscription", "id": gid("WebhookSubscription", h.id), "topic": h.topic, "uri": h.uri, "format": h.format,
		"filter": filter,
	}
}

// queries is what can be asked. Call within the shop's Do, and with no lock of ours.
func (s *Sim) queries() graph.Obj {
	root := s.shop.Queries(s.granted)
	maps.Copy(root, graph.Obj{
		"currentAppInstallation": func(graph.Args) any {
			var scopes []graph.Obj
			for _, h := range s.o.Scopes {
				scopes = append(scopes, graph.Obj{"handle": h})
			}
			return graph.Obj{"id": gid("AppInstallation", 1), "accessScopes": scopes}
		},
		"webhookSubscriptions": func(a graph.Args) any {
			s.mu.Lock()
			defer s.mu.Unlock()
			var all []graph.Obj
			for _, h := range s.hooks {
				all = append(all, h.object())
			}
			return graph.Connection(all, a)
		},
	})
	return root
}

// mutations is what can be changed. Call as queries.
func (s *Sim) mutations() graph.Obj {
	root := s.shop.Mutations(s.granted)
	maps.Copy(root, graph.Obj{
		"webhookSubscriptionCreate": func(a graph.Args) any { return s.subscribe(a) },
		"webhookSubscriptionDelete": func(a graph.Args) any { return s.unsubscribe(a.Str("id")) },
	})
	return root
}

func (s *Sim) subscribe(a graph.Args) graph.Obj {
	w := a.Sub("webhookSubscription")
	u, err := url.Parse(w.Str("uri"))
	if err != nil || u.Host == "" {
		return graph.Obj{"webhookSubscription": nil, "userErrors": []graph.Obj{problem("Address is invalid", "webhookSubscription", "callbackUrl")}}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hookIDs++
	h := &subscription{id: 12_000_000_000 + s.hookIDs, topic: a.Str("topic"), uri: w.Str("uri"), format: "JSON", filter: w.Str("filter")}
	if f := w.Str("format"); f != "" {
		h.format = f
	}
	for _, o := range s.hooks {
		if o.topic == h.topic && o.uri == h.uri && o.filter == h.filter {
			return graph.Obj{"webhookSubscription": nil, "userErrors": []graph.Obj{
				problem("Address for this topic has already been taken", "webhookSubscription", "callbackUrl"),
			}}
		}
	}
	s.hooks = append(s.hooks, h)
	return graph.Obj{"webhookSubscription": h.object(), "userErrors": []graph.Obj{}}
}

func (s *Sim) unsubscribe(id string) graph.Obj {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, h := range s.hooks {
		if gid("WebhookSubscription", h.id) == id {
			s.hooks = slices.Delete(s.hooks, i, i+1)
			return graph.Obj{"deletedWebhookSubscriptionId": id, "userErrors": []graph.Obj{}}
		}
	}
	return graph.Obj{"deletedWebhookSubscriptionId": nil, "userErrors": []graph.Obj{problem("Webhook subscription not found", "id")}}
}

func problem(message string, field ...string) graph.Obj {
	return graph.Obj{"field": field, "message": message}
}

func gid(kind string, n int64) string {
	return "gid://shopify/" + kind + "/" + strconv.FormatInt(n, 10)
}
