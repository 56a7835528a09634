package names

import (
	"testing"
	"unicode/utf8"
)

func TestFilter(t *testing.T) {
	f := New([]string{"HawkerBot", "Ana's Ceramics", "Twitch"}, []string{"scam", "xx"})
	for name, allowed := range map[string]bool{
		"ana": true, "bob_42": true, "日本": true, "": true, "hawker_fan": true, "AnaLover": true, "twitchy": true, "Scandinavia": true, "анна": true,
		"hawkerbot": false, "HawkerB0t": false, "h a w k e r b o t": false, "HawkerBot_": false, "HawkerBot2": false, "НаwkеrВоt": false, "ｈａｗｋｅｒｂｏｔ": false,
		"HåwkérBöt": false, "Hawkerbott": false, "AnasCeramics": false, "Ana_s_Cerarnics": false, "anas.ceramics_99": false, "Tw1tch": false, "TVVITCH": false,
		"\u200bhawker\u200dbot": false, "sc4m_you": false, "5CAM": false, "ѕсаm": false, "s.c.a.m": false, "scaaam": false,
	} {
		if got := f.Allows(name); got != allowed {
			t.Errorf("Allows(%q) = %v; looks like %q", name, got, Skeleton(name))
		}
	}
	if !(*Filter)(nil).Allows("hawkerbot") || !New(nil, nil).Allows("scam") {
		t.Error("a filter of nothing refuses something")
	}
}

func FuzzSkeleton(f *testing.F) {
	f.Add("HаwkеrВоt \u200b2")
	f.Fuzz(func(t *testing.T, s string) {
		k := Skeleton(s)
		if utf8.ValidString(s) && !utf8.ValidString(k) {
			t.Fatalf("Skeleton(%q) = %q", s, k)
		}
		_ = New([]string{s}, []string{s}).Allows(s)
	})
}
