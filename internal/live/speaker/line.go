package speaker

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"hawker/commerce"
	"hawker/internal/chat"
)

// compose takes the next line out of a channel's queue: the first utterance alone, or it and all that can stand in one line
// with it.
func (s *Speaker) compose(c chat.Channel, q *speech, b chat.Budget, channels int, now time.Time) (line chat.Line, us, dead []*Utterance, why []error) {
	for t, at := range q.said {
		if b.NoRepeat > 0 && now.Sub(at) > b.NoRepeat || b.NoRepeat == 0 && t != "" {
			delete(q.said, t)
		}
	}
	keep := q.waiting[:0]
	for _, u := range q.waiting {
		if !u.NotAfter.IsZero() && now.After(u.NotAfter) {
			dead, why = append(dead, u), append(why, ErrTooLate)
			s.count(q, func(f *Figures) { f.TooLate++ })
			continue
		}
		keep = append(keep, u)
	}
	q.waiting = keep
	for len(q.waiting) > 0 {
		first := q.waiting[0]
		us = []*Utterance{first}
		var w Words
		if joint := joinable(q.waiting, first); first.Joined != nil && len(joint) > 1 {
			os := make([]*commerce.Outcome, len(joint))
			for i, u := range joint {
				os[i] = u.Joined
			}
			var n int
			w, n = s.Join(c, os, b.MaxRunes, false)
			if n*s.lines(b, channels) < len(os) { // who comes last would wait for too long
				if all, m := s.Join(c, os, b.MaxRunes, true); m > n {
					w, n = all, m
					s.count(q, func(f *Figures) { f.Crowds++ })
				}
			}
			us = joint[:min(max(n, 1), len(joint))]
		} else if first.Merge {
			w, us = merged(q.waiting, first.Loud, b.MaxRunes)
		} else if all := sharing(q.waiting, first); len(all) > 1 {
			w, us = shared(all, b.MaxRunes)
		} else {
			w = first.Words(false)
		}
		taken := make(map[*Utterance]bool, len(us))
		for _, u := range us {
			taken[u] = true
		}
		q.waiting = slices.DeleteFunc(q.waiting, func(u *Utterance) bool { return taken[u] })
		to := first.To
		if len(us) > 1 || !b.Replies && to.Kind == chat.ToReply {
			to = chat.Answer{Kind: chat.ToChannel, Channel: c}
		}
		line = chat.Line{To: to, Text: cut(w.Text, b.MaxRunes), Link: w.Link, LinkLabel: w.LinkLabel, Nonce: nonce(first)}
		if q.told(line.Text, now) && len(us) == 1 { // to somebody else, perhaps
			if named := w.To(first.name()).Text; !strings.HasPrefix(w.Text, "@") && cut(named, b.MaxRunes) == named {
				line.Text = named
			}
		}
		if line.Text != "" && !q.told(line.Text, now) {
			return line, us, dead, why
		}
		s.count(q, func(f *Figures) { f.Told += len(us) })
		for _, u := range us {
			dead, why = append(dead, u), append(why, ErrTold)
		}
		us = nil
	}
	return line, nil, dead, why
}

// told reports whether a text was said so lately that it is not said again.
func (q *speech) told(text string, now time.Time) bool {
	_, told := q.said[text]
	return told || text == q.text && now.Sub(q.last) < sameFor
}

// name is whom an utterance answers, empty where it is meant for more than one.
func (u *Utterance) name() string {
	switch {
	case u.Shared != "":
		return ""
	case u.Joined != nil:
		return u.Joined.Viewer.Name
	}
	return u.Asker
}

// sharing are the waiting utterances that answer the same as the first.
func sharing(waiting []*Utterance, first *Utterance) []*Utterance {
	if first.Shared == "" {
		return nil
	}
	var out []*Utterance
	for _, u := range waiting {
		if u.Shared == first.Shared {
			out = append(out, u)
		}
	}
	return out
}

// shared is one line for several who asked the same, as many as fit, at least the first of them.
func shared(all []*Utterance, limit int) (w Words, us []*Utterance) {
	w = all[0].Words(false)
	names, n := "", utf8.RuneCountInString(all[0].Shared)
	named := map[string]bool{}
	for _, u := range all {
		if !named[u.Asker] {
			k := utf8.RuneCountInString(u.Asker) + 2
			if limit > 0 && n+k > limit && len(us) > 0 {
				break
			}
			names += "@" + u.Asker + " "
			n += k
			named[u.Asker] = true
		}
		us = append(us, u)
	}
	w.Text = names + all[0].Shared
	return w, us
}

// merged is one line of the waiting utterances that may be merged, as many as fit, at least the first of them. What is loud stands
// with what is.
func merged(waiting []*Utterance, loud bool, limit int) (w Words, us []*Utterance) {
	n := 0
	for _, u := range waiting {
		if !u.Merge || u.Loud != loud {
			continue
		}
		next := u.Words(false)
		k := utf8.RuneCountInString(next.Text)
		switch {
		case len(us) == 0:
			w, n = next, k
		case limit > 0 && n+1+k > limit:
			return w, us
		default:
			w.Text += " " + next.Text
			n += 1 + k
		}
		us = append(us, u)
	}
	return w, us
}

// joinable are the waiting utterances that can stand in one line with the first: results of claims, of any rank.
func joinable(waiting []*Utterance, first *Utterance) []*Utterance {
	if first.Joined == nil {
		return nil
	}
	var out []*Utterance
	for _, u := range waiting {
		if u.Joined != nil {
			out = append(out, u)
		}
	}
	return out
}

// cut shortens a text to limit code points. Texts are made to fit; this is the last guard.
func cut(text string, limit int) string {
	if limit <= 0 || utf8.RuneCountInString(text) <= limit {
		return text
	}
	r := []rune(text)
	return string(r[:limit-1]) + "…"
}
