package book

import (
	"errors"
	"strconv"

	"hawker/rules/facts"
	"hawker/rules/rule"
)

// act puts what a rule wants into the result. It reports whether it wants anything now, and why not all that it says.
func (r *compiled) act(in *Input, out *Result) (done bool, why string) {
	note := func(i int, text string) {
		if why != "" {
			why += "; "
		}
		why += "action " + strconv.Itoa(i+1) + " left out: " + text
	}
	s := &out.scratch
	for i := range r.actions {
		a := &r.actions[i]
		if a.cond != nil {
			if miss := condition(s, a.cond, in.Facts); miss != "" {
				note(i, miss)
				continue
			}
		}
		switch a.Do {
		case rule.Stop:
			out.Stopped, done = true, true
			continue
		case rule.Set:
			set, miss := a.set(s, in.Facts)
			if miss != "" {
				note(i, miss)
				continue
			}
			if len(out.Settings) == MaxEffects {
				out.Cut = true
				note(i, "one message sets at most "+strconv.Itoa(MaxEffects)+" counters and variables")
				return done, why
			}
			out.Settings = append(out.Settings, set)
			done = true
			continue
		}
		e, miss := a.effect(in.Facts, s)
		if miss != "" {
			note(i, miss)
			continue
		}
		if len(out.Effects) == MaxEffects {
			out.Cut = true
			note(i, "one message causes at most "+strconv.Itoa(MaxEffects)+" effects")
			return done, why
		}
		e.Rule, e.Name, e.Index, e.Action = r.ID, r.Name, int(r.index), i
		out.Effects = append(out.Effects, e)
		done = true
	}
	return done, why
}

// set is what a counter or variable becomes, or why it becomes nothing.
func (a *action) set(s *scratch, f *facts.Facts) (Setting, string) {
	if name := a.value.Missing(f); name != "" {
		return Setting{}, name + " is not known"
	}
	v, err := s.runner.Run(a.value, f, &s.now)
	switch {
	case errors.Is(err, facts.ErrSteps):
		return Setting{}, "the expression was stopped: " + err.Error()
	case err != nil:
		return Setting{}, "the expression failed: " + err.Error()
	}
	if text, ok := v.(string); ok {
		return Setting{Name: a.Name, Text: facts.Clean(text)}, ""
	}
	n, ok := facts.Whole(v)
	if !ok {
		return Setting{}, "the expression came to no number that can be kept"
	}
	return Setting{Name: a.Name, Number: true, N: n}, ""
}

// effect is an action with its facts filled in, or why it cannot be done now.
func (a *action) effect(f *facts.Facts, s *scratch) (Effect, string) {
	e := Effect{
		Do: a.Do, After: a.After, Channels: a.Channels, Item: a.Item, Quantity: a.Quantity, Amount: a.Amount, For: a.For, Title: a.Name, URL: a.URL, On: a.On,
		Picture: a.Picture, Sound: a.Sound,
	}
	if a.text != nil {
		if name := a.text.Missing(f); name != "" {
			return e, "there is no " + name + " now"
		}
		e.Text, e.Keep = a.text.Expand(f, &s.now)
	}
	if e.Item == 0 {
		switch a.Do {
		case rule.Claim, rule.Promote, rule.Price, rule.Stock:
			if e.Item = f.Item.Number; e.Item == 0 {
				return e, "no item is on air"
			}
		case rule.Pass, rule.ShoutOut, rule.Card:
			e.Item = f.Item.Number
		}
	}
	if a.Do == rule.Claim && e.Quantity == 0 {
		e.Quantity = 1
	}
	if (a.Do.ForViewer() || a.Do == rule.Reply) && f.Viewer.ID == "" {
		return e, "nobody is there to do it for"
	}
	if a.Do == rule.DeleteLine && f.Message.ID == "" {
		return e, "there is no line to delete"
	}
	return e, ""
}
