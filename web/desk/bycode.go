package desk

import (
	"context"
	"errors"
	"time"

	"hawker/commerce"
)

// ByCode is a login without an address that the platform could send a browser back to: the owner types a code there, in any
// browser on any device, and we ask until that was done.
type ByCode struct {
	// Begin asks the platform for a code; extra is as in Connect.Start.
	Begin func(ctx context.Context, merchant commerce.ID, extra string) (ShownCode, error)
	// Ask asks once what became of a code. When its owner agreed, it stores the account and returns its name; else its error is
	// ErrWaiting or ErrCodeOver, or another when the platform could not be asked.
	Ask func(ctx context.Context, merchant commerce.ID, c ShownCode) (name string, err error)
}

// What became of a code, beside an account.
var (
	ErrWaiting  = errors.New("the code was not typed yet")
	ErrCodeOver = errors.New("the code is over")
)

// ShownCode is a code and where to type it.
type ShownCode struct {
	Code    string        `json:"code"`
	Address string        `json:"address"` // a web page; the code may stand there already
	Ends    time.Time     `json:"ends"`
	Every   time.Duration `json:"every"` // how long to leave between two questions
	// Secret is what Ask needs and nobody else may know.
	Secret []byte `json:"secret"`
}

// String leaves the secret out.
func (c ShownCode) String() string { return "code for " + c.Address }

// GoString is String, so that %#v shows no secret.
func (c ShownCode) GoString() string { return c.String() }
