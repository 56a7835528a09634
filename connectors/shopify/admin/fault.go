package admin

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Errors that a caller decides by.
var (
	// ErrReconnect means that the store's permission is gone and only the merchant can give it again.
	ErrReconnect = errors.New("shopify: the store must be connected again")
	// ErrScope means that the permission is too small for this call.
	ErrScope = errors.New("shopify: a permission is missing")
	// ErrShop means that the store is frozen, locked or gone (HTTP 402, 403, 404, 423).
	ErrShop = errors.New("shopify: the store is closed to apps")
	// ErrUnsure means that the store may or may not have done what was asked: the answer was lost.
	ErrUnsure = errors.New("shopify: the answer was lost")
)

// Refused is the store's own no to a change: wrong input, or something that changed meanwhile (userErrors).
type Refused struct {
	Op       string
	Problems []string // the store's words, each behind the field it names
}

func (e *Refused) Error() string { return e.Op + ": refused: " + strings.Join(e.Problems, "; ") }

// UserError is one of the userErrors in a payload.
type UserError struct {
	Field   []string
	Message string
	Code    string // where the payload's errors have one and it was asked for
}

// Refusal is *Refused when a payload has errors, else nil.
func Refusal(op Operation, errs []UserError) error {
	if len(errs) == 0 {
		return nil
	}
	r := &Refused{Op: op.Name}
	for _, e := range errs {
		m := e.Message
		if len(e.Field) > 0 {
			m = strings.Join(e.Field, ".") + ": " + m
		}
		r.Problems = append(r.Problems, m)
	}
	return r
}

// fault is an answer that is not an answer to the question: by HTTP status, or by the first of the top-level errors.
type fault struct {
	status  int
	code    string // extensions.code, see page "Status and error codes"
	message string
	wait    time.Duration // Retry-After
}

func (f *fault) Error() string {
	switch {
	case f.code != "":
		return f.code + ": " + f.message
	case f.message != "":
		return fmt.Sprintf("status %d: %s", f.status, f.message)
	}
	return fmt.Sprintf("status %d", f.status)
}

// Is lets callers test a fault by the errors above.
func (f *fault) Is(target error) bool {
	switch target {
	case ErrReconnect:
		return f.status == http.StatusUnauthorized
	case ErrScope:
		return f.code == "ACCESS_DENIED"
	case ErrShop:
		return f.closed()
	}
	return false
}

func (f *fault) closed() bool {
	switch f.status {
	case http.StatusPaymentRequired, http.StatusForbidden, http.StatusNotFound, http.StatusLocked:
		return true
	}
	return false
}

// Codes of top-level errors that we act on (page "GraphQL Admin API reference, Status and error codes").
const (
	codeThrottled = "THROTTLED"
	codeInternal  = "INTERNAL_SERVER_ERROR"
	codeTooDear   = "MAX_COST_EXCEEDED"
)

// unharmed reports whether the store certainly did nothing, so that asking again cannot double anything.
func (f *fault) unharmed() bool {
	return f.code == codeThrottled || f.status == http.StatusTooManyRequests
}

// passing reports whether asking again may help.
func (f *fault) passing() bool {
	return f.unharmed() || f.status >= 500 || f.code == codeInternal
}

// TooDear reports whether the store refused a query because it costs more than one query may (MAX_COST_EXCEEDED).
func TooDear(err error) bool {
	var f *fault
	return errors.As(err, &f) && f.code == codeTooDear
}
