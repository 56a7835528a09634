package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/pace"
	"hawker/internal/live/speaker"
	"hawker/internal/live/wording"
)

// TestSpam: viewers who ask for the list and for help all the time take nothing from who claims: each result is said within seconds,
// who asks the same is told in one line, who goes on asking waits, then gets the page, then nothing; no send is over a limit of Twitch.
func TestSpam(t *testing.T) { synctest.Test(t, spam) }

func spam(t *testing.T) {
	sim, s := speakerOn(t, false)
	voice, here := crowdVoice(), chat.Channel{Platform: chat.Twitch, ID: channelID}
	var (
		mu      sync.Mutex
		p       pace.Pace
		longest time.Duration
		results int
		asked   = map[string]int{}
	)
	question := func(name, answer string) {
		v, now := chat.Viewer{Platform: chat.Twitch, ID: name, Name: name}, time.Now()
		if ok, _ := p.May(v, 0, now); !ok {
			asked["too fast"]++
			return
		}
		wait, page, ok := p.Ask(v, now)
		shared := answer
		switch {
		case !ok:
			asked["nothing"]++
			return
		case page:
			asked["page"]++
			answer = "It is all on the page: " + crowdLink
			shared = answer
		case wait > 0:
			asked["wait"]++
		default:
			asked["at once"]++
		}
		s.Say(&speaker.Utterance{
			Rank: speaker.RankInfo, To: chat.Answer{Kind: chat.ToChannel, Channel: here}, NotAfter: now.Add(2 * time.Minute), NotBefore: now.Add(wait), Shared: shared, Asker: name,
			Words: func(bool) speaker.Words { return speaker.Words{Text: "@" + name + " " + answer} }, Done: func(time.Time, error) {},
		})
	}
	claim := func(i int) {
		o, _ := crowdAnswer(i * 10) // held
		at := time.Now()
		s.Say(&speaker.Utterance{
			ID: commerce.ID(i + 1), Rank: speaker.RankOf(o), To: chat.Answer{Kind: chat.ToChannel, Channel: here}, Joined: o,
			Words: func(bool) speaker.Words {
				return speaker.Words{Text: "@" + o.Viewer.Name + " " + voice.Sentence(o, crowdLink, wording.Long), Link: crowdLink}
			},
			Done: func(said time.Time, err error) {
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Errorf("%s: %v", o.Viewer.Name, err)
				}
				results++
				longest = max(longest, said.Sub(at))
			},
		})
	}
	const minutes = 3
	claims := 0
	for second := range minutes * 60 {
		for i := range 20 { // 20 people who ask the same things again and again, each once in 2 s
			if second%2 == i%2 {
				question(fmt.Sprintf("spammer_%02d", i), []string{"On sale: #1 Mug, 18 EUR, 3 left. " + crowdLink, "!buy 3 holds item 3."}[second/2%2])
			}
		}
		if second%5 == 2 {
			claim(claims)
			claims++
		}
		time.Sleep(time.Second)
	}
	time.Sleep(30 * time.Second)
	synctest.Wait()
	mu.Lock()
	defer mu.Unlock()
	if results != claims || longest > 6*time.Second {
		t.Errorf("%d of %d results were said, the slowest after %v", results, claims, longest)
	}
	if sim.OverLimit() != 0 {
		t.Errorf("%d sends over a limit", sim.OverLimit())
	}
	shared, told := 0, map[string]int{}
	for _, l := range sim.Spoken(channelID) {
		n := strings.Count(l.Text, "@spammer_")
		shared += map[bool]int{true: 1}[n > 1]
		for _, word := range strings.Fields(l.Text) {
			if strings.HasPrefix(word, "@spammer_") {
				told[word]++
			}
		}
	}
	if shared == 0 || asked["page"] < 20 || asked["nothing"] < 20 || len(told) != 20 {
		t.Errorf("%d lines for several, %d people answered, questions %v", shared, len(told), asked)
	}
	f := s.Figures()
	t.Logf("%d questions in %d min: %v; %d answered in %d lines, of them %d for several; %d results, the slowest after %v",
		asked["at once"]+asked["wait"]+asked["page"]+asked["nothing"]+asked["too fast"], minutes, asked, f.Covered-results, f.Lines, f.Joined, results, longest.Round(10*time.Millisecond))
}

// TestShoutOutForm: a shout-out is an announcement on Twitch where that was granted, else a line; others stay lines.
func TestShoutOutForm(t *testing.T) {
	for _, granted := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			var more []string
			if granted {
				more = []string{"moderator:manage:announcements"}
			}
			sim, s := speakerOn(t, true, more...)
			here := chat.Channel{Platform: chat.Twitch, ID: channelID}
			var mu sync.Mutex
			var ends []error
			for i, text := range []string{"bob just bought a mug.", "a reminder"} {
				s.Say(&speaker.Utterance{
					Rank: speaker.RankReminder, To: chat.Answer{Kind: chat.ToChannel, Channel: here}, Loud: i == 0, Merge: true,
					Words: func(bool) speaker.Words { return speaker.Words{Text: text} }, Done: func(_ time.Time, err error) { mu.Lock(); ends = append(ends, err); mu.Unlock() },
				})
				time.Sleep(5 * time.Second)
			}
			mu.Lock()
			defer mu.Unlock()
			lines, loud := len(sim.Spoken(channelID)), 0
			for _, d := range sim.Deeds() {
				loud += map[bool]int{true: 1}[d.Kind == "announce" && d.Text == "bob just bought a mug."]
			}
			want := map[bool][2]int{true: {1, 1}, false: {2, 0}}[granted]
			if lines != want[0] || loud != want[1] || len(ends) != 2 || ends[0] != nil || ends[1] != nil {
				t.Errorf("granted %v: %d lines, %d announcements, %v", granted, lines, loud, ends)
			}
		})
	}
}
