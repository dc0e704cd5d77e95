"""What a slot is made of: listed when it is filled, vouched for, and looked at each day by a program outside of it.

    software/list       in the slot: a line for each of its files, in the words of sha256sum, and for each of its links
    software/bundle     the signed head of the bundle that filled it; none where provision.sh filled it
    software/records/   what each wheel of that bundle says of its files; the head has the SHA-256 of each

Only the standard library is used here: provisioning copies this package to /opt/safepoint/check, which is root's, and
the system's own Python runs it there. Whoever can change a slot can so not change what looks at it. Whoever is root, or
has the card in his hands, can: against that only a verified start helps (provisioning/etsi-en-303-645.md, 5.7-1).
"""
