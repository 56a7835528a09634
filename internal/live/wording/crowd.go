package wording

import (
	"sort"
	"unicode/utf8"

	"hawker/commerce"
)

// Crowd is one line of outcomes of which there are more than lines could name in time: it names as many people as there is room
// for, counts the others beside each thing that happened, and leads them to the page, where everybody finds what is theirs. covered
// is how many outcomes it is about, from the first; 0 when not even one thing fits.
func (t *Teller) Crowd(outcomes []*commerce.Outcome, link string, maxRunes int) (text string, covered int) {
	outcomes = outcomes[:sorts(outcomes, maxRunes/roomLeast)]
	j := t.joint(outcomes, link)
	fits := func(n, named int) bool {
		return maxRunes <= 0 || utf8.RuneCountInString(j.line(n, named)) <= maxRunes
	}
	if covered = len(outcomes); !fits(covered, 0) { // too many different things
		covered = sort.Search(len(outcomes), func(n int) bool { return !fits(n+1, 0) })
	}
	if covered == 0 {
		return "", 0
	}
	most := min(covered, joinMost)
	named := sort.Search(most, func(n int) bool { return !fits(covered, n+1) })
	return j.line(covered, named), covered
}

// roomLeast is less than the code points that any one thing takes in a line: a number, a name of one letter, a blank between.
const roomLeast = 5

// sorts is how many outcomes, from the first, are about at most so many items: more cannot have room in a line, and need not be put
// into words to know it.
func sorts(outcomes []*commerce.Outcome, most int) int {
	if most <= 0 {
		return len(outcomes)
	}
	seen := map[int]bool{}
	for i, o := range outcomes {
		if seen[o.Number] = true; len(seen) > most {
			return i
		}
	}
	return len(outcomes)
}
