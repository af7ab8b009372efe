// The app of a page: oidc-client-ts with nothing set but what every app must say.
const given = new URLSearchParams(location.hash.slice(1))
if (given.has('authority')) sessionStorage.setItem('settings', JSON.stringify(Object.fromEntries(given)))
const { authority, client_id, scope } = JSON.parse(sessionStorage.getItem('settings'))
const home = location.origin + '/'
const manager = new oidc.UserManager({
  authority, client_id, scope, redirect_uri: home + 'callback', post_logout_redirect_uri: home + 'gone',
  automaticSilentRenew: false,
})
const show = (value) => { document.getElementById('user').textContent = JSON.stringify(value) }
const fail = (error) => show({ error: String(error) })
const shown = (user) => show({ profile: user.profile, scope: user.scope, access_token: user.access_token })

document.getElementById('sign-in').onclick = () => manager.signinRedirect().catch(fail)
document.getElementById('renew').onclick = () => manager.signinSilent().then(shown, fail)
document.getElementById('sign-out').onclick = () => manager.signoutRedirect().catch(fail)
if (location.pathname === '/callback') manager.signinCallback().then(shown, fail)
if (location.pathname === '/gone') manager.signoutCallback().then(() => show({ gone: true }), fail)
