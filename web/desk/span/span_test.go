package span_test

import (
	"testing"
	"time"

	"hawker/web/desk/span"
)

func TestRead(t *testing.T) {
	day := 24 * time.Hour
	for _, tt := range []struct {
		text string
		want time.Duration
		ok   bool
	}{
		{"10", 10 * time.Minute, true},
		{" 90 S ", 90 * time.Second, true},
		{"2h", 2 * time.Hour, true},
		{"1 day", day, true},
		{"3 days", 3 * day, true},
		{"0", 0, true},
		{"", 0, false},
		{"soon", 0, false},
		{"-5", 0, false},
		{"5 weeks", 0, false},
		{"12345678", 0, false},
		{"9999999 days", 0, false},
	} {
		if got, ok := span.Read(tt.text); got != tt.want || ok != tt.ok {
			t.Errorf("Read(%q) = %v, %v; want %v, %v", tt.text, got, ok, tt.want, tt.ok)
		}
	}
}

func TestText(t *testing.T) {
	for _, tt := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0 min"},
		{45 * time.Second, "45 s"},
		{90 * time.Second, "90 s"},
		{10 * time.Minute, "10 min"},
		{time.Hour, "60 min"},
		{2 * time.Hour, "2 h"},
		{90 * time.Minute, "90 min"},
		{24 * time.Hour, "1 day"},
		{72 * time.Hour, "3 days"},
	} {
		got := span.Text(tt.d)
		if got != tt.want {
			t.Errorf("Text(%v) = %q, want %q", tt.d, got, tt.want)
		}
		if d, ok := span.Read(got); d != tt.d || !ok {
			t.Errorf("%q is read as %v, %v", got, d, ok)
		}
	}
}
