package chat

import "time"

// Token is what an account's owner granted. Access and Refresh are secrets: sealed at rest, never logged.
type Token struct {
	Access  string    `json:"access"`
	Refresh string    `json:"refresh,omitempty"`
	Expires time.Time `json:"expires,omitzero"` // zero when the platform named no end
	Scopes  []string  `json:"scopes,omitempty"`
}

// Account is a login on a platform: a creator's own or the bot's.
type Account struct {
	Platform Platform `json:"platform"`
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Token    Token    `json:"-"`
}
