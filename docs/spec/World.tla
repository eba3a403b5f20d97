-------------------------------- MODULE World --------------------------------
(***************************************************************************)
(* One partition's world: what is stored in Kafka, what Kravia does with a  *)
(* register, what a person decides, and what each ownership remembers.      *)
(* Trim.tla adds who may write and what is deleted, InvoiceWorker.tla how   *)
(* the worker acts.  UNTIMED: a wait is a guard that says what the wait     *)
(* must achieve; Timing.tla and Witness.tla say what achieves it.           *)
(*                                                                          *)
(* A register call is sent, then carried out or never, then visible to the  *)
(* search; an answer may come in between, "lost" (a 5xx, a time-out, an     *)
(* ambiguous answer) also BEFORE the call is carried out.                    *)
(***************************************************************************)
EXTENDS Integers, Sequences, FiniteSets

CONSTANTS
  Requests,     \* the identities of the records of invoice.requests, in the order of their offsets
  MaxOwner,     \* how many ownerships there may be
  MaxTry,       \* intents of one record: the first and those after "certainly not carried out"
  MaxReplay,    \* how many records a person writes to invoice.replays: verdicts and events sent again
  AllowNot,     \* calls may end as certainly not carried out (429), and intents may not be sent at all
  Blind,        \* the search's rows may carry no identity, or no witness comes: a doubt stays one
  OffsetsMove,  \* the group's committed offsets may be lost or, by a membership proof, rewound
  PersonWaits   \* a person looks when nothing of the identity is under way any more

VARIABLES
  n,        \* how many take-overs have begun
  jEp, sEp, \* which ownership started the journal's producer last, which the settlement's
  journal,  \* facts: [k (claims are left out), rec, of (the intent's offset), ep (ownership), st (transaction)]
  jstart,   \* the journal's start: what lies before was deleted
  led,      \* the committed ledger: identity -> [how, ver (the doubt: its intent's offset), q, p (settled offsets)]
  off,      \* the committed offsets (next to read) of requests "q" and replays "p"
  outs,     \* the committed outcomes of each input record: [h, v]
  replays,  \* invoice.replays: [k ("cmd" | "evt"), id, ver, verdict]
  own,      \* what each ownership has in memory
  calls,    \* identity -> every register ever sent: [i (intent), ep, p, a]
  expired   \* intents up to here are older than their validity: the wait of some owner showed it
vars == <<n, jEp, sEp, journal, jstart, led, off, outs, replays, own, calls, expired>>

Owners == 1 .. MaxOwner
Topics == {"q", "p"}
Recs   == {<<"q", k>> : k \in 1 .. Len(Requests)} \cup {<<"p", k>> : k \in 1 .. MaxReplay}
Ids    == {Requests[k] : k \in 1 .. Len(Requests)}
Exists(r)    == r[1] = "q" \/ r[2] <= Len(replays)
IdOf(r)      == IF r[1] = "q" THEN Requests[r[2]] ELSE replays[r[2]].id
IsCommand(r) == r[1] = "p" /\ replays[r[2]].k = "cmd"
CallsOf(x)   == 1 .. Len(calls[x])
Quiet(x)     == \A c \in CallsOf(x) : calls[x][c].p \in {"vis", "no"}
Found(x)     == \E c \in CallsOf(x) : calls[x][c].p = "vis"
Min(S) == CHOOSE x \in S : \A y \in S : x <= y
Max(S) == CHOOSE x \in S : \A y \in S : x >= y

(* A record in an ownership's memory; s: new | int (intent i is acknowledged) | out (call c is sent)  *)
(* | dbt (intent i is in doubt) | not (intent i is closed: certainly not carried out)                 *)
(* | rdy (ready to settle as h, doubt v) | set                                                        *)
(* h: ok | doubt | gaveup | yes, no (a verdict that is obeyed) | same (a verdict without effect)      *)
New     == [s |-> "new", i |-> 0, c |-> 0, h |-> "", v |-> 0]
Settled == [New EXCEPT !.s = "set"]
NoLoc   == [r \in Recs |-> New]
(* st: off | one, two (producers started) | ok (claimed) | on | z (fenced, may fire a bullet) | dead  *)
(* ro, rl, rj: offsets, ledger, journal are read; end: one past its last read or acknowledged fact    *)
(* fence: the journal's length when both producers had started; w: the wait for inherited doubts      *)
(* is over; commit: the prepared transaction; trim: a DeleteRecords on its way, -1 the broker's end   *)
NoOwner == [st |-> "off", ro |-> FALSE, rl |-> FALSE, rj |-> FALSE, loc |-> NoLoc, led |-> <<>>, off |-> <<>>,
            log |-> <<>>, end |-> 0, fence |-> 0, w |-> FALSE, commit |-> <<>>, trim |-> 0]
Dead    == [NoOwner EXCEPT !.st = "dead"]

Init ==
  /\ n = 0 /\ jEp = 0 /\ sEp = 0 /\ journal = <<>> /\ jstart = 1 /\ expired = 0
  /\ led = [x \in Ids |-> [how |-> "none", ver |-> 0, q |-> 0, p |-> 0]]
  /\ off = [t \in Topics |-> 1] /\ outs = [r \in Recs |-> <<>>]
  /\ replays = <<>> /\ calls = [x \in Ids |-> <<>>]
  /\ own = [e \in Owners |-> NoOwner]

---------------------------------------------------------------------------
(* p: pend(ing) | done (carried out) | vis(ible too) | no (never will be)                  *)
(* a: none yet | ok | not | lost | gone (it was read, or nobody reads it)                  *)
Api(x, c) ==
  LET k == calls[x][c] IN
  \/ /\ k.p = "pend" /\ k.a # "not"
     /\ \/ calls' = [calls EXCEPT ![x][c].p = "done"]
        \/ calls' = [calls EXCEPT ![x][c].p = "no"]
  \/ /\ k.p = "done" /\ calls' = [calls EXCEPT ![x][c].p = "vis"]
  \/ /\ k.a = "none"
     /\ \/ k.p \in {"done", "vis"} /\ calls' = [calls EXCEPT ![x][c].a = "ok"]
        \/ AllowNot /\ k.p = "no" /\ calls' = [calls EXCEPT ![x][c].a = "not"]
        \/ calls' = [calls EXCEPT ![x][c].a = "lost"]
ApiStep == /\ \E x \in Ids : \E c \in CallsOf(x) : Api(x, c)
           /\ UNCHANGED <<n, jEp, sEp, journal, jstart, led, off, outs, replays, own, expired>>

(* A verdict names the doubt of the dead letter that the person was shown.  It changes the ledger  *)
(* only; the event is sent again as a record of its own, before or after it, or twice.             *)
Person ==
  /\ Len(replays) < MaxReplay
  /\ \E r \in Recs : \E k \in 1 .. Len(outs[r]) :
       LET x == IdOf(r) o == outs[r][k] IN
       \/ /\ o.h = "doubt" /\ (PersonWaits => Quiet(x))
          /\ replays' = Append(replays, [k |-> "cmd", id |-> x, ver |-> o.v, verdict |-> IF Found(x) THEN "yes" ELSE "no"])
       \/ /\ o.h \in {"doubt", "gaveup"}
          /\ replays' = Append(replays, [k |-> "evt", id |-> x, ver |-> 0, verdict |-> ""])
  /\ UNCHANGED <<n, jEp, sEp, journal, jstart, led, off, outs, own, calls, expired>>

Offsets == /\ OffsetsMove
           /\ \E t \in Topics : \E o \in 1 .. off[t] - 1 : off' = [off EXCEPT ![t] = o]
           /\ UNCHANGED <<n, jEp, sEp, journal, jstart, led, outs, replays, own, calls, expired>>

---------------------------------------------------------------------------
(* The promises *)
Registered(x) == {c \in CallsOf(x) : calls[x][c].p \in {"done", "vis"}}
NeverTwice        == \A x \in Ids : Cardinality(Registered(x)) <= 1
ExactlyOneOutcome == \A r \in Recs : Len(outs[r]) <= 1
(* Nothing lost: every run is finite, and one that ends without an outcome for each record is a deadlock *)
AllDone == \A r \in Recs : Exists(r) => Len(outs[r]) >= 1
OkMeansRegistered == \A r \in Recs : \A k \in 1 .. Len(outs[r]) : outs[r][k].h = "ok" => Registered(IdOf(r)) # {}
LedgerAgrees ==
  /\ \A x \in Ids, t \in Topics :
       LET mine == {r \in Recs : r[1] = t /\ Exists(r) /\ IdOf(r) = x /\ outs[r] # <<>>}
       IN led[x][t] = (IF mine = {} THEN 0 ELSE Max({r[2] : r \in mine}))
  /\ \A r \in Recs : r[2] < off[r[1]] => outs[r] # <<>>
  /\ \A x \in Ids : led[x].how \in {"ok", "reg"} => Registered(x) # {}
InOrder == \A r, s \in Recs :
             r[1] = s[1] /\ r[2] < s[2] /\ Exists(s) /\ IdOf(r) = IdOf(s) /\ outs[s] # <<>> => outs[r] # <<>>
OneCallAtATime == \A x \in Ids : Cardinality({c \in CallsOf(x) : calls[x][c].p = "pend"}) <= 1
=============================================================================
