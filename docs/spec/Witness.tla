------------------------------- MODULE Witness -------------------------------
(***************************************************************************)
(* "Not found counts only with a witness."  One doubtful call, another       *)
(* register of ours (the witness), one search index whose lag is UNBOUNDED    *)
(* but which shows registrations in their order, except by up to Skew.        *)
(*   V, T, A as in Timing.tla; L is the doubt's deadline, counted from the    *)
(*   claim (time 0): V + T + A + E.  The intent was stamped before 0.  An     *)
(*   owner's own doubt: time 0 is the call's end, L = A.                      *)
(*   D does not appear: that is the point of the rule.                        *)
(* Two sweeps: the first shows the witness (and may have read the doubt's     *)
(* page before), the last finds nothing of the doubtful call.                 *)
(***************************************************************************)
EXTENDS Integers
CONSTANTS V, T, A, Skew, L, Horizon,
  Own,       \* the doubt is about the owner's own call, which ended at time 0
  By,        \* the witness is dated by: "stamp" (before its intent was produced) | "sent" | "answered"
             \* | "row" (Kravia's clock on the row, off by up to K)
  K,
  Strict,    \* dated later than the deadline (TRUE), or in its very tick too
  Span,      \* the last sweep begins more than this after the end of the first ..
  SpanStrict,\* .. FALSE: or exactly this
  Sweeps     \* 2; 1: the sweep that shows the witness decides

VARIABLES now, d, w, first, again
(* d: the doubtful call: p: int | chk (at c) | pend (since c) | done (at t) | vis | no  *)
(* w: the witness: b (stamped), s (sent), t (carried out), a (answered), v (visible at)  *)
vars == <<now, d, w, first, again>>
Never == 99
Init == /\ now = 0 /\ first = Never /\ again = FALSE
        /\ d = [p |-> IF Own THEN "pend" ELSE "int", c |-> IF Own THEN 0 ELSE Never, t |-> Never]
        /\ w = [p |-> "none", b |-> Never, s |-> Never, t |-> Never, a |-> Never, v |-> Never]
Check  == d.p = "int"  /\ now < V /\ d' = [d EXCEPT !.p = "chk", !.c = now] /\ UNCHANGED <<now, w, first, again>>
Drop   == d.p \in {"int", "chk", "pend"} /\ d' = [d EXCEPT !.p = "no"] /\ UNCHANGED <<now, w, first, again>>
Send   == d.p = "chk"  /\ d' = [d EXCEPT !.p = "pend", !.c = now] /\ UNCHANGED <<now, w, first, again>>
Carry  == d.p = "pend" /\ d' = [d EXCEPT !.p = "done", !.t = now] /\ UNCHANGED <<now, w, first, again>>
Show   == d.p = "done" /\ d' = [d EXCEPT !.p = "vis"] /\ UNCHANGED <<now, w, first, again>>
WStamp == w.p = "none" /\ w' = [w EXCEPT !.p = "int", !.b = now] /\ UNCHANGED <<now, d, first, again>>
WSend  == w.p = "int"  /\ w' = [w EXCEPT !.p = "pend", !.s = now] /\ UNCHANGED <<now, d, first, again>>
WCarry == w.p = "pend" /\ w' = [w EXCEPT !.p = "done", !.t = now] /\ UNCHANGED <<now, d, first, again>>
WAnswer == w.p \in {"done", "vis"} /\ w.a = Never /\ w' = [w EXCEPT !.a = now] /\ UNCHANGED <<now, d, first, again>>
(* in order: not before an earlier registration, unless that one follows within Skew (see Tick) *)
WShow  == /\ w.p = "done" /\ (Skew = 0 /\ d.p = "done" => d.t > w.t)
          /\ w' = [w EXCEPT !.p = "vis", !.v = now] /\ UNCHANGED <<now, d, first, again>>
Late(x) == IF Strict THEN x > L ELSE x >= L
Counts == /\ w.p = "vis"
          /\ CASE By = "stamp" -> Late(w.b)
               [] By = "sent" -> Late(w.s)
               [] By = "answered" -> w.a # Never /\ Late(w.a)
               [] By = "row" -> Late(w.t + K)            \* the worst that Kravia's clock may say
NotFound == d.p # "vis"
FirstSweep == first = Never /\ ~again /\ Counts /\ (Sweeps = 1 => NotFound) /\ first' = now /\ UNCHANGED <<now, d, w, again>>
LastSweep == /\ first # Never /\ ~again
             /\ (Sweeps = 1 \/ (NotFound /\ (now > first + Span \/ (~SpanStrict /\ now = first + Span))))
             /\ again' = TRUE /\ UNCHANGED <<now, d, w, first>>
Tick ==
  /\ now < Horizon
  /\ (d.p = "chk" => now < d.c + T) /\ (d.p = "pend" => now < d.c + A)
  /\ (w.p = "pend" => now < w.s + A)
  /\ (d.p = "done" /\ w.p = "vis" /\ d.t <= w.t => now < w.v + Skew)     \* order, but for Skew
  /\ now' = now + 1 /\ UNCHANGED <<d, w, first, again>>
Next == \/ Check \/ Drop \/ Send \/ Carry \/ Show \/ WStamp \/ WSend \/ WCarry \/ WAnswer \/ WShow
        \/ FirstSweep \/ LastSweep \/ Tick
Spec == Init /\ [][Next]_vars
(* registered again, though the doubtful call was carried out or still may be *)
NeverTwice == again => d.p \in {"no", "int"} /\ (d.p = "int" => now >= V)
(* vacuity: with this rule somebody does register again *)
NeverAgain == ~again
=============================================================================
