"""The paths of the site."""

from django.contrib.auth import views as auth
from django.urls import path

from blog import views

urlpatterns = [
    path("", views.Index.as_view(), name="index"),
    path("new/", views.Create.as_view(), name="new"),
    path("<int:pk>/", views.Update.as_view(), name="edit"),
    path("<int:pk>/delete/", views.Delete.as_view(), name="delete"),
    path("signup/", views.SignUp.as_view(), name="signup"),
    path("accounts/login/", auth.LoginView.as_view(), name="login"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
]
