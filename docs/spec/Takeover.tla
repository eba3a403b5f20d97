------------------------------ MODULE Takeover ------------------------------
(***************************************************************************)
(* Who owns the partition in the end?  The group's opinion and the epochs of *)
(* the two transactional producers are different things: aiokafka sends no   *)
(* group metadata with offsets, so ANY process that believes it is assigned  *)
(* can start the producers, and the last one to start each wins.             *)
(*                                                                          *)
(* Safety is not at stake here (InvoiceWorker.tla).  The question is whether *)
(* the partition may be left without a working owner for ever, or fought     *)
(* over for ever.  Back-off and its jitter are not modelled: fairness alone. *)
(***************************************************************************)
EXTENDS Integers

CONSTANTS Workers, MaxMoves, MaxUnclear,
  StartsOver,   \* an owner that lost the partition starts over while the group still says that it is assigned
  Proves,       \* before it starts over it proves its membership (a commit carries the generation)
  Claim,        \* a take-over ends with a write of the journal's producer, refused when it was fenced meanwhile
  HeaderCommit, \* .. and with a commit of the settlement's
  Deaf          \* a worker that was evicted may never hear of it (its heartbeats do not get through)

VARIABLES group,   \* the coordinator's truth: who is assigned
          moves, unclear,
          knows,   \* worker -> does it believe that it is assigned
          run,     \* worker -> none | j, s (about to start that producer) | claim | on | lost | stopped
          J, S     \* who started each producer last (0: nobody): whose epoch is the valid one
vars == <<group, moves, unclear, knows, run, J, S>>

Init == /\ group \in Workers /\ moves = 0 /\ unclear = 0 /\ J = 0 /\ S = 0
        /\ knows = [w \in Workers |-> FALSE] /\ run = [w \in Workers |-> "none"]

(* The session of a frozen worker times out, or the group rebalances *)
Move == /\ moves < MaxMoves /\ moves' = moves + 1
        /\ group' \in Workers \ {group}
        /\ UNCHANGED <<unclear, knows, run, J, S>>

(* A worker hears from the coordinator (heartbeat, rejoin) *)
Assigned(w) == /\ group = w /\ ~knows[w]
               /\ knows' = [knows EXCEPT ![w] = TRUE] /\ run' = [run EXCEPT ![w] = "j"]
               /\ UNCHANGED <<group, moves, unclear, J, S>>
Revoked(w)  == /\ group # w /\ knows[w]
               /\ knows' = [knows EXCEPT ![w] = FALSE] /\ run' = [run EXCEPT ![w] = "none"]
               /\ UNCHANGED <<group, moves, unclear, J, S>>

Goes(w, s) == run' = [run EXCEPT ![w] = s] /\ UNCHANGED <<group, moves, unclear, knows>>
Lost(w) == Goes(w, IF ~StartsOver THEN "stopped" ELSE IF Proves THEN "lost" ELSE "j") /\ UNCHANGED <<J, S>>

StartJ(w) == run[w] = "j" /\ J' = w /\ Goes(w, "s") /\ UNCHANGED S
StartS(w) == run[w] = "s" /\ S' = w /\ Goes(w, "claim") /\ UNCHANGED J
Claims(w) == /\ run[w] = "claim"
             /\ IF (Claim => J = w) /\ (HeaderCommit => S = w) THEN Goes(w, "on") /\ UNCHANGED <<J, S>> ELSE Lost(w)
(* The owner writes the journal or settles, and is told that it is fenced *)
Fenced(w) == run[w] = "on" /\ (J # w \/ S # w) /\ Lost(w)
(* The membership commit is refused to a zombie; it tries again until it hears that it was evicted *)
Prove(w) == run[w] = "lost" /\ group = w /\ Goes(w, "j") /\ UNCHANGED <<J, S>>
(* A commit whose answer was lost (for one: the worker froze) ends the ownership too *)
Unclear(w) == /\ run[w] = "on" /\ unclear < MaxUnclear /\ unclear' = unclear + 1
              /\ run' = [run EXCEPT ![w] = IF Proves THEN "lost" ELSE "j"]
              /\ UNCHANGED <<group, moves, knows, J, S>>

Good == \E w \in Workers : group = w /\ knows[w] /\ run[w] = "on" /\ J = w /\ S = w
Steps(w) == StartJ(w) \/ StartS(w) \/ Claims(w) \/ Fenced(w) \/ Prove(w)
Next == Move \/ \E w \in Workers : Assigned(w) \/ Revoked(w) \/ Steps(w) \/ Unclear(w)

Spec == Init /\ [][Next]_vars
        /\ \A w \in Workers : WF_vars(Assigned(w)) /\ WF_vars(Steps(w)) /\ (Deaf \/ WF_vars(Revoked(w)))

Settles == <>[]Good
=============================================================================
