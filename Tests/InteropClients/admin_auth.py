"""Manages users with firebase-admin's `auth`, unmodified, as if the server were Firebase's emulator.

usage: admin_auth.py HOST:PORT users
"""

import json
import os
import sys
import time

host, scenario = sys.argv[1], sys.argv[2]
os.environ["FIREBASE_AUTH_EMULATOR_HOST"] = host

import firebase_admin  # noqa: E402
from firebase_admin import auth  # noqa: E402
from checks import asking, check, refused  # noqa: E402

RULES = {"rules": {"editors": {".read": "auth.token.role === 'editor'", ".write": "auth.token.role === 'editor'"}}}


ask = asking(host)


def sign_in(email, password):
    return ask("POST", "/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key=shop",
               {"email": email, "password": password, "returnSecureToken": True})


def renew(refresh_token):
    return ask("POST", "/securetoken.googleapis.com/v1/token?key=shop",
               {"grant_type": "refresh_token", "refresh_token": refresh_token})


def next_second():
    now = int(time.time())
    while int(time.time()) == now:
        time.sleep(0.02)


def users():
    check(ask("PUT", "/.settings/rules.json?ns=shop", RULES, "owner")[0], 200, "rules are installed")
    firebase_admin.initialize_app(options={"projectId": "shop"})

    mia = auth.create_user(uid="mia", email="Mia@example.com", password="secret1", display_name="Mia",
                           phone_number="+4915112345678", email_verified=True)
    check((mia.uid, mia.email, mia.display_name, mia.phone_number, mia.email_verified, mia.disabled),
          ("mia", "mia@example.com", "Mia", "+4915112345678", True, False), "a user is made")
    check(len(auth.create_user().uid), 28, "and one without anything, who gets a name")
    refused(auth.UidAlreadyExistsError, "a name is given once", lambda: auth.create_user(uid="mia"))
    refused(auth.EmailAlreadyExistsError, "so is an address of mail",
            lambda: auth.create_user(email="mia@example.com"))
    refused(auth.PhoneNumberAlreadyExistsError, "and a phone number",
            lambda: auth.create_user(phone_number="+4915112345678"))

    check(auth.get_user("mia").uid, "mia", "a user is found by uid")
    check(auth.get_user_by_email("mia@example.com").uid, "mia", "by address")
    check(auth.get_user_by_phone_number("+4915112345678").uid, "mia", "by phone number")
    refused(auth.UserNotFoundError, "nobody is not found", lambda: auth.get_user("nobody"))
    refused(auth.UserNotFoundError, "not by address either", lambda: auth.get_user_by_email("no@example.com"))
    found = auth.get_users([auth.UidIdentifier("mia"), auth.EmailIdentifier("mia@example.com"),
                            auth.UidIdentifier("nobody")])
    check(([user.uid for user in found.users], len(found.not_found)), (["mia"], 1), "several are looked for at once")

    status, signed_in = sign_in("mia@example.com", "secret1")
    check(status, 200, "she signs in with the password that she was given")
    claims = auth.verify_id_token(signed_in["idToken"])
    check((claims["uid"], claims["email"]), ("mia", "mia@example.com"), "the token is verified")
    check(auth.verify_id_token(signed_in["idToken"], check_revoked=True)["uid"], "mia", "and is not revoked")
    custom = auth.create_custom_token("leo", {"role": "guest"}).decode()
    status, leo = ask("POST", "/identitytoolkit.googleapis.com/v1/accounts:signInWithCustomToken?key=shop",
                      {"token": custom, "returnSecureToken": True})
    check((status, auth.verify_id_token(leo["idToken"])["role"]), (200, "guest"), "so is one for a custom token")

    auth.set_custom_user_claims("mia", {"role": "editor", "level": 3})
    check(auth.get_user("mia").custom_claims, {"role": "editor", "level": 3}, "claims are set")
    status, renewed = renew(signed_in["refreshToken"])
    check((status, auth.verify_id_token(renewed["id_token"])["role"]), (200, "editor"), "and show in the next token")
    check(ask("PUT", "/editors/x.json?ns=shop", 1, renewed["id_token"]), (200, 1), "and in rules")
    check(ask("GET", "/editors/x.json?ns=shop", credential=leo["idToken"])[0], 401, "others are no editors")
    refused(ValueError, "claims that mean something else are refused",
            lambda: auth.set_custom_user_claims("mia", {"sub": "leo"}))
    auth.set_custom_user_claims("mia", None)
    check(auth.get_user("mia").custom_claims, None, "claims are taken away")

    changed = auth.update_user("mia", display_name=auth.DELETE_ATTRIBUTE, phone_number=auth.DELETE_ATTRIBUTE,
                               email="m@example.com", photo_url="https://example.com/m.png")
    check((changed.display_name, changed.phone_number, changed.email, changed.email_verified, changed.photo_url),
          (None, None, "m@example.com", False, "https://example.com/m.png"), "a user is changed")
    refused(auth.UserNotFoundError, "the old address is nobody's", lambda: auth.get_user_by_email("mia@example.com"))
    refused(auth.UserNotFoundError, "nobody can't be changed", lambda: auth.update_user("nobody", disabled=True))

    next_second()
    auth.revoke_refresh_tokens("mia")
    check(auth.get_user("mia").tokens_valid_after_timestamp > claims["iat"] * 1000, True, "sign-ins are ended")
    refused(auth.RevokedIdTokenError, "old tokens are known to be revoked",
            lambda: auth.verify_id_token(renewed["id_token"], check_revoked=True))
    check(renew(signed_in["refreshToken"])[0], 400, "and can't be renewed")
    next_second()
    auth.update_user("mia", password="secret2")
    check(sign_in("m@example.com", "secret1")[0], 400, "an old password is no good")
    status, again = sign_in("m@example.com", "secret2")
    check(status, 200, "the new one is")
    auth.update_user("mia", disabled=True)
    refused(auth.UserDisabledError, "who is disabled is known to be",
            lambda: auth.verify_id_token(again["idToken"], check_revoked=True))
    check(sign_in("m@example.com", "secret2")[1]["error"]["message"], "USER_DISABLED", "and can't sign in")
    auth.update_user("mia", disabled=False)
    check(sign_in("m@example.com", "secret2")[0], 200, "until enabled")

    for number in range(7):
        auth.create_user(uid=f"user{number}")
    page = auth.list_users(max_results=4)
    check(len(page.users), 4, "users are listed by pages")
    everybody = [user.uid for user in page.iterate_all()]
    check((len(everybody), sorted(set(everybody)) == everybody, {"mia", "leo", "user6"} <= set(everybody)),
          (10, True, True), "all of them, each once, in order")

    auth.delete_user("user0")
    refused(auth.UserNotFoundError, "a user is deleted", lambda: auth.get_user("user0"))
    refused(auth.UserNotFoundError, "once", lambda: auth.delete_user("user0"))
    auth.update_user("user1", disabled=True)
    deleted = auth.delete_users(["user1", "nobody", "user2"])
    check((deleted.success_count, deleted.failure_count), (3, 0), "several are deleted at once, as SDKs force it")

    other = firebase_admin.initialize_app(options={"projectId": "other"}, name="other")
    refused(auth.UserNotFoundError, "another database has users of its own",
            lambda: auth.get_user("mia", app=other))


users()
print("done", scenario)
