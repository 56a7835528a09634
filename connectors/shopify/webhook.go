package shopify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"
)

// maxWebhook bounds a webhook's body. An order of 500 lines is well below a megabyte.
const maxWebhook = 2 << 20

// inboxTimeout leaves the store its five seconds (page "Deliver webhooks through HTTPS").
const inboxTimeout = 4 * time.Second

// Webhook is one verified message of a store. It may come again, late, and behind a newer one.
type Webhook struct {
	Shop  string // the store's host name
	Topic string // for example "orders/paid"
	ID    string // X-Shopify-Webhook-Id: the same for each attempt to deliver it
	// EventID is the same in all webhooks of one event; empty when the store sent none.
	EventID string
	// Triggered is the store's clock; zero when it sent none.
	Triggered time.Time
	Body      []byte
}

// Handler takes in webhooks: it verifies, hands to Inbox and answers, and does no work itself.
type Handler struct {
	// Secrets are the client secrets that may have signed for this store: one, or two for an hour after a change. None
	// means that the store is not ours. An error makes the store try again later.
	Secrets func(ctx context.Context, shop string) ([][]byte, error)
	// Inbox stores a verified webhook, and takes one that it has already for done (by Shop and ID). An error makes the
	// store try again later. Its ctx ends after four seconds.
	Inbox func(ctx context.Context, w Webhook) error
	// Log hears of refusals and errors; nil hears nothing.
	Log *slog.Logger
}

// ServeHTTP implements http.Handler. It answers 401 to what is not signed by a store of ours, and nothing of it is kept.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	log := h.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "only POST", http.StatusMethodNotAllowed)
		return
	}
	shop := r.Header.Get("X-Shopify-Shop-Domain")
	if !ValidShop(shop) {
		http.Error(w, "not verified", http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxWebhook))
	if err != nil {
		status := http.StatusBadRequest
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, "body not read", status)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), inboxTimeout)
	defer cancel()
	secrets, err := h.Secrets(ctx, shop)
	if err != nil {
		log.ErrorContext(ctx, "webhook not checked", "shop", shop, "err", err)
		http.Error(w, "try again", http.StatusInternalServerError)
		return
	}
	if !Signed(body, r.Header.Get("X-Shopify-Hmac-Sha256"), secrets) {
		log.WarnContext(ctx, "webhook refused: not signed by a store of ours", "shop", shop)
		http.Error(w, "not verified", http.StatusUnauthorized)
		return
	}
	hook := Webhook{
		Shop: shop, Topic: r.Header.Get("X-Shopify-Topic"), ID: r.Header.Get("X-Shopify-Webhook-Id"),
		EventID: r.Header.Get("X-Shopify-Event-Id"), Body: body,
	}
	if t, err := time.Parse(time.RFC3339Nano, r.Header.Get("X-Shopify-Triggered-At")); err == nil {
		hook.Triggered = t
	}
	if hook.Topic == "" || hook.ID == "" {
		http.Error(w, "no topic or no id", http.StatusBadRequest)
		return
	}
	if err := h.Inbox(ctx, hook); err != nil {
		log.ErrorContext(ctx, "webhook not stored", "shop", shop, "topic", hook.Topic, "id", hook.ID, "err", err)
		http.Error(w, "try again", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// Signed reports whether signature, as in X-Shopify-Hmac-Sha256, was made over the raw body with one of the secrets. It
// takes the same time for every wrong signature. An empty secret signs nothing.
func Signed(body []byte, signature string, secrets [][]byte) bool {
	got, err := base64.StdEncoding.DecodeString(signature)
	if err != nil || len(got) != sha256.Size {
		return false
	}
	ok := false
	for _, s := range secrets {
		if len(s) == 0 {
			continue
		}
		mac := hmac.New(sha256.New, s)
		_, _ = mac.Write(body)
		ok = hmac.Equal(got, mac.Sum(nil)) || ok
	}
	return ok
}
